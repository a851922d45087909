-- Never executed by us.
SET ECHO OFF FEEDBACK OFF HEADING OFF PAGESIZE 0 VERIFY OFF TRIMSPOOL ON TAB OFF DEFINE OFF
SET LINESIZE 32767 LONG 2000000 LONGCHUNKSIZE 32767
WHENEVER SQLERROR EXIT FAILURE
SELECT JSON_OBJECT(
  'id' VALUE TO_CHAR(c.id),
  'appId' VALUE a.app_id,
  'message' VALUE c.message,
  'sent' VALUE CASE WHEN TO_CHAR(c.is_sent) IN ('1', 'TRUE') THEN 'true' ELSE 'false' END FORMAT JSON,
  'timestampCreated' VALUE CASE WHEN c.timestamp_created IS NOT NULL THEN
    TO_CHAR(FROM_TZ(c.timestamp_created, '{zone}') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.FF3') || '+00:00' END
  ABSENT ON NULL RETURNING CLOB)
FROM push_campaign c
LEFT JOIN push_app_credentials a ON a.id = c.app_id
ORDER BY c.id;
