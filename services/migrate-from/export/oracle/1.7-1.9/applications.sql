SET ECHO OFF FEEDBACK OFF HEADING OFF PAGESIZE 0 VERIFY OFF TRIMSPOOL ON TAB OFF DEFINE OFF
SET LINESIZE 32767 LONG 2000000 LONGCHUNKSIZE 32767
WHENEVER SQLERROR EXIT FAILURE
-- Never executed by us. Pieces of 1440 bytes are multiples of three, so that their base64 joins without padding.
WITH FUNCTION b64(content BLOB) RETURN CLOB IS
  encoded CLOB;
  position PLS_INTEGER := 1;
BEGIN
  WHILE position <= NVL(DBMS_LOB.GETLENGTH(content), 0) LOOP
    encoded := encoded || REPLACE(REPLACE(
      UTL_RAW.CAST_TO_VARCHAR2(UTL_ENCODE.BASE64_ENCODE(DBMS_LOB.SUBSTR(content, 1440, position))), CHR(13)), CHR(10));
    position := position + 1440;
  END LOOP;
  RETURN encoded;
END;
SELECT JSON_OBJECT(
  'appId' VALUE c.app_id,
  'apnsBundle' VALUE c.ios_bundle,
  'apnsKeyId' VALUE c.ios_key_id,
  'apnsTeamId' VALUE c.ios_team_id,
  'apnsEnvironment' VALUE CASE WHEN LOWER(c.ios_environment) IN ('development', 'production') THEN LOWER(c.ios_environment) END,
  'apnsPrivateKeyBase64' VALUE b64(c.ios_private_key),
  'fcmProjectId' VALUE c.android_project_id,
  'fcmPrivateKeyBase64' VALUE b64(c.android_private_key),
  'hmsProjectId' VALUE c.hms_project_id,
  'hmsClientId' VALUE c.hms_client_id,
  'hmsClientSecret' VALUE c.hms_client_secret
  ABSENT ON NULL RETURNING CLOB)
FROM push_app_credentials c
ORDER BY c.id
/
