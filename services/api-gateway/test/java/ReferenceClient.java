// Calls methods of the reference server's released client, as a test says line by line: each line in is a call in JSON, each line out that
// begins with @ is what came back, as the client's own models have it. One source for all versions: methods are found by name and types.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.Module;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import com.wultra.core.rest.client.base.RestClientConfiguration;
import com.wultra.core.rest.client.base.RestClientException;
import io.getlime.push.client.PushServerClient;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;

public class ReferenceClient {

    private static final ObjectMapper JSON = new ObjectMapper()
            .registerModule(new JavaTimeModule())
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS);

    private final Map<String, PushServerClient> clients = new HashMap<>();

    public static void main(String[] args) throws Exception {
        final ReferenceClient program = new ReferenceClient();
        final BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        print(Map.of("methods", methods()));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            print(program.call(JSON.readTree(line)));
        }
        // Its connections keep threads that would wait.
        System.exit(0);
    }

    /** The client logs to the same stream. */
    private static void print(Object value) throws Exception {
        System.out.println("@" + JSON.writeValueAsString(value));
    }

    private static Object methods() {
        return Arrays.stream(PushServerClient.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
                .map(ReferenceClient::signature)
                .sorted()
                .collect(Collectors.toList());
    }

    private static String signature(Method method) {
        return method.getName() + Arrays.stream(method.getParameterTypes())
                .map(Class::getSimpleName)
                .collect(Collectors.joining(",", "(", ")"));
    }

    private ObjectNode call(JsonNode call) throws Exception {
        final ObjectNode response = JSON.createObjectNode();
        final String wanted = call.get("method").asText();
        for (Method method : PushServerClient.class.getDeclaredMethods()) {
            if (!signature(method).equals(wanted)) {
                continue;
            }
            try {
                response.set("value", JSON.valueToTree(method.invoke(client(call), arguments(method, call.get("arguments")))));
            } catch (InvocationTargetException e) {
                describe(e.getCause(), response);
            }
            return response;
        }
        throw new IllegalArgumentException("The client has no " + wanted);
    }

    private static Object[] arguments(Method method, JsonNode given) {
        final Type[] types = method.getGenericParameterTypes();
        final Object[] arguments = new Object[types.length];
        for (int i = 0; i < types.length; i++) {
            arguments[i] = JSON.convertValue(given.get(i), JSON.constructType(types[i]));
        }
        return arguments;
    }

    /** The client hides what the server has said behind a cause. */
    private static void describe(Throwable thrown, ObjectNode response) throws Exception {
        response.put("exception", thrown.toString());
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof RestClientException) {
                final RestClientException error = (RestClientException) cause;
                response.put("status", error.getStatusCode() == null ? 0 : error.getStatusCode().value());
                response.put("body", error.getResponse());
                response.set("error", JSON.valueToTree(error.getErrorResponse()));
            }
        }
    }

    /** `plain`: of the URL alone. `strict`: of a configuration, whose reader fails on members that it does not know. */
    private PushServerClient client(JsonNode call) throws Exception {
        final String key = call.get("client") + " " + call.get("url") + " " + call.get("password");
        if (!clients.containsKey(key)) {
            clients.put(key, make(call));
        }
        return clients.get(key);
    }

    private static PushServerClient make(JsonNode call) throws Exception {
        final String url = call.get("url").asText();
        if (call.get("client").asText().equals("plain")) {
            return new PushServerClient(url);
        }
        final RestClientConfiguration configuration = new RestClientConfiguration();
        configuration.setBaseUrl(url);
        if (call.has("password")) {
            configuration.setHttpBasicAuthEnabled(true);
            configuration.setHttpBasicAuthUsername(call.get("user").asText());
            configuration.setHttpBasicAuthPassword(call.get("password").asText());
        }
        // Version 1.7 does not have this constructor.
        return PushServerClient.class
                .getConstructor(RestClientConfiguration.class, Module[].class)
                .newInstance(configuration, new Module[] {new JavaTimeModule()});
    }
}
