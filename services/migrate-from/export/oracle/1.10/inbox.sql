-- Never executed by us.
SET ECHO OFF FEEDBACK OFF HEADING OFF PAGESIZE 0 VERIFY OFF TRIMSPOOL ON TAB OFF DEFINE OFF
SET LINESIZE 32767 LONG 2000000 LONGCHUNKSIZE 32767
WHENEVER SQLERROR EXIT FAILURE
SELECT JSON_OBJECT(
  'id' VALUE i.inbox_id,
  'userId' VALUE i.user_id,
  'type' VALUE LOWER(i.message_type),
  'subject' VALUE i.subject,
  'summary' VALUE i.summary,
  'body' VALUE i.body,
  'read' VALUE CASE WHEN TO_CHAR(i.is_read) IN ('1', 'TRUE') THEN 'true' ELSE 'false' END FORMAT JSON,
  'timestampCreated' VALUE CASE WHEN i.timestamp_created IS NOT NULL THEN
    TO_CHAR(FROM_TZ(i.timestamp_created, '{zone}') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.FF3') || '+00:00' END,
  'timestampRead' VALUE CASE WHEN i.timestamp_read IS NOT NULL THEN
    TO_CHAR(FROM_TZ(i.timestamp_read, '{zone}') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.FF3') || '+00:00' END,
  'applications' VALUE (
    SELECT JSON_ARRAYAGG(a.app_id ORDER BY a.id)
    FROM push_inbox_app x JOIN push_app_credentials a ON a.id = x.app_credentials_id
    WHERE x.inbox_id = i.id) FORMAT JSON
  ABSENT ON NULL RETURNING CLOB)
FROM push_inbox i
ORDER BY i.id;
