-- Never executed by us.
SET ECHO OFF FEEDBACK OFF HEADING OFF PAGESIZE 0 VERIFY OFF TRIMSPOOL ON TAB OFF DEFINE OFF
SET LINESIZE 32767 LONG 2000000 LONGCHUNKSIZE 32767
WHENEVER SQLERROR EXIT FAILURE
SELECT JSON_OBJECT(
  'campaignId' VALUE TO_CHAR(u.campaign_id),
  'userId' VALUE u.user_id,
  'sent' VALUE CASE WHEN c.id IS NULL THEN NULL WHEN TO_CHAR(c.is_sent) IN ('1', 'TRUE') THEN 'true' ELSE 'false' END FORMAT JSON
  ABSENT ON NULL)
FROM (SELECT DISTINCT campaign_id, user_id FROM push_campaign_user) u
LEFT JOIN push_campaign c ON c.id = u.campaign_id
ORDER BY u.campaign_id, u.user_id;
