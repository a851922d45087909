// What integrators would write with generated clients in other languages. Each program registers a device, imports another, lists both,
// sends a message, and reads two errors.

/** With the client that OpenAPI Generator makes by default. */
export const JAVA = `
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.AdministrationApi;
import org.openapitools.client.api.DevicesApi;
import org.openapitools.client.api.MessagesApi;
import org.openapitools.client.auth.HttpBearerAuth;
import org.openapitools.client.model.*;

public class Main {
  static String codeOf(ApiException error) throws Exception {
    ErrorResponse response = ErrorResponse.fromJson(error.getResponseBody());
    return response.getResponseObject().getCode();
  }

  public static void main(String[] args) throws Exception {
    ApiClient client = new ApiClient();
    client.setBasePath(args[0]);
    DevicesApi devices = new DevicesApi(client);
    String appId = args[2];
    try {
      devices.listDevices(appId, "java", null, null);
    } catch (ApiException error) {
      System.out.println("keyless " + codeOf(error));
    }
    ((HttpBearerAuth) client.getAuthentication("bearer")).setBearerToken(args[1]);

    CreateDeviceRequest device = new CreateDeviceRequest()
      .appId(appId).platform(PlatformName.IOS).token("aa01").activationId("java").userId("java");
    Ok registered = devices.createDevice(new WrappedCreateDeviceRequest().requestObject(device));
    System.out.println("registered " + registered.getStatus());

    File lines = Path.of(args[3], "java.ndjson").toFile();
    Files.writeString(lines.toPath(),
      "{\\"userId\\":\\"java\\",\\"activationId\\":\\"java-imported\\",\\"platform\\":\\"android\\",\\"token\\":\\"java\\"}\\n");
    OkImportResult imported = devices.importDevices(lines, appId, null, null);
    System.out.println("imported " + imported.getResponseObject().getImported());

    PagedDeviceList listed = devices.listDevices(appId, "java", null, null);
    System.out.println("devices " + listed.getResponseObject().getDevices().stream()
      .map(ListedDevice::getActivationId).sorted(java.util.Comparator.reverseOrder()).collect(Collectors.joining(" ")));

    Message message = new Message().userId("java").priority(Priority.NORMAL).body(new MessageBody().title("Hello").badge(1));
    SendMessageRequest request = new SendMessageRequest().appId(appId).mode(Mode.ASYNCHRONOUS).message(message);
    SendMessageResponse sent = new MessagesApi(client)
      .sendMessage(new WrappedSendMessageRequest().requestObject(request), null, null).getResponseObject();
    System.out.println("sent " + sent.getMode() + " " + sent.getMessageIds().size());

    try {
      new AdministrationApi(client).describeApplication(new WrappedApplicationDetailRequest()
        .requestObject(new ApplicationDetailRequest().appId("nowhere")));
    } catch (ApiException error) {
      System.out.println("refused " + codeOf(error) + " "
        + ErrorResponse.fromJson(error.getResponseBody()).getResponseObject().getMessage());
    }
  }
}
`

export const OPENAPI_GENERATOR_PYTHON = `
import sys
import openapi_client
from openapi_client import *

url, key, app_id = sys.argv[1:]
devices = DevicesApi(ApiClient(Configuration(host=url)))
try:
    devices.list_devices(app_id, "python")
except ApiException as error:
    print("keyless", error.data.response_object.code)

client = ApiClient(Configuration(host=url, access_token=key))
devices = DevicesApi(client)
device = CreateDeviceRequest(app_id=app_id, platform=PlatformName.IOS, token="aa02", activation_id="python", user_id="python")
print("registered", devices.create_device(WrappedCreateDeviceRequest(request_object=device)).status)
lines = b'{"userId":"python","activationId":"python-imported","platform":"android","token":"python"}\\n'
print("imported", devices.import_devices(lines, app_id=app_id, _content_type="application/octet-stream").response_object.imported)
listed = devices.list_devices(app_id, "python").response_object.devices
print("devices", *sorted((each.activation_id for each in listed), reverse=True))
message = Message(user_id="python", priority=Priority.NORMAL, body=MessageBody(title="Hello", badge=1))
request = SendMessageRequest(app_id=app_id, mode=Mode.ASYNCHRONOUS, message=message)
sent = MessagesApi(client).send_message(WrappedSendMessageRequest(request_object=request)).response_object
print("sent", sent.mode.value, len(sent.message_ids))
try:
    detail = ApplicationDetailRequest(app_id="nowhere")
    AdministrationApi(client).describe_application(WrappedApplicationDetailRequest(request_object=detail))
except ApiException as error:
    print("refused", error.data.response_object.code, error.data.response_object.message)
`

/** How schemathesis writes the lines of an import. */
export const SCHEMATHESIS_HOOKS = `
import schemathesis

@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
`

export const OPENAPI_PYTHON_CLIENT = `
import sys
from io import BytesIO
from push_server_api_client import AuthenticatedClient, Client
from push_server_api_client.api.administration import describe_application
from push_server_api_client.api.devices import create_device, import_devices, list_devices
from push_server_api_client.api.messages import send_message
from push_server_api_client.models import *
from push_server_api_client.types import File

url, key, app_id = sys.argv[1:]
print("keyless", list_devices.sync(client=Client(base_url=url), app_id=app_id, user_id="client").response_object.code)
client = AuthenticatedClient(base_url=url, token=key)
device = CreateDeviceRequest(app_id=app_id, platform=PlatformName.IOS, token="aa03", activation_id="client", user_id="client")
print("registered", create_device.sync(client=client, body=WrappedCreateDeviceRequest(request_object=device)).status.value)
lines = b'{"userId":"client","activationId":"client-imported","platform":"android","token":"client"}\\n'
imported = import_devices.sync(client=client, app_id=app_id, body=File(payload=BytesIO(lines)))
print("imported", imported.response_object.imported)
listed = list_devices.sync(client=client, app_id=app_id, user_id="client").response_object.devices
print("devices", *sorted((each.activation_id for each in listed), reverse=True))
message = Message(user_id="client", priority=Priority.NORMAL, body=MessageBody(title="Hello", badge=1))
request = SendMessageRequest(app_id=app_id, mode=Mode.ASYNCHRONOUS, message=message)
sent = send_message.sync(client=client, body=WrappedSendMessageRequest(request_object=request)).response_object
print("sent", sent.mode.value, len(sent.message_ids))
detail = WrappedApplicationDetailRequest(request_object=ApplicationDetailRequest(app_id="nowhere"))
refused = describe_application.sync(client=client, body=detail).response_object
print("refused", refused.code, refused.message)
`
