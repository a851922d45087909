-- Never executed by us.
SET ECHO OFF FEEDBACK OFF HEADING OFF PAGESIZE 0 VERIFY OFF TRIMSPOOL ON TAB OFF DEFINE OFF
SET LINESIZE 32767 LONG 2000000 LONGCHUNKSIZE 32767
WHENEVER SQLERROR EXIT FAILURE
SELECT JSON_OBJECT(
  'appId' VALUE a.app_id,
  'userId' VALUE d.user_id,
  'activationId' VALUE d.activation_id,
  'platform' VALUE LOWER(d.platform),
  'token' VALUE d.push_token,
  'active' VALUE CASE WHEN TO_CHAR(d.is_active) IN ('1', 'TRUE') THEN 'true' ELSE 'false' END FORMAT JSON,
  'environment' VALUE CASE WHEN LOWER(d.environment) IN ('development', 'production') THEN LOWER(d.environment) END,
  'applicationEnvironment' VALUE CASE WHEN LOWER(a.apns_environment) IN ('development', 'production') THEN LOWER(a.apns_environment) END,
  'timestampLastRegistered' VALUE CASE WHEN d.timestamp_last_registered IS NOT NULL THEN
    TO_CHAR(FROM_TZ(d.timestamp_last_registered, '{zone}') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.FF3') || '+00:00' END
  ABSENT ON NULL)
FROM push_device_registration d
LEFT JOIN push_app_credentials a ON a.id = d.app_id
ORDER BY d.id;
