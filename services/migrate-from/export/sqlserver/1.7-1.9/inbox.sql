-- Never executed by us.
SELECT (SELECT
  i.inbox_id AS id,
  i.user_id AS userId,
  LOWER(i.[{type}]) AS [type],
  i.subject AS subject,
  i.summary AS summary,
  i.body AS body,
  CAST(COALESCE(i.[{read}], 0) AS bit) AS [read],
  CONVERT(varchar(23), CAST((i.timestamp_created AT TIME ZONE '{zone}') AT TIME ZONE 'UTC' AS datetime2(3)), 126) + '+00:00' AS timestampCreated,
  CONVERT(varchar(23), CAST((i.timestamp_read AT TIME ZONE '{zone}') AT TIME ZONE 'UTC' AS datetime2(3)), 126) + '+00:00' AS timestampRead,
  JSON_QUERY((
    SELECT '[' + STRING_AGG('"' + STRING_ESCAPE(a.app_id, 'json') + '"', ',') WITHIN GROUP (ORDER BY a.id) + ']'
    FROM push_inbox_app x JOIN push_app_credentials a ON a.id = x.app_credentials_id
    WHERE x.inbox_id = i.id)) AS applications
  FOR JSON PATH, WITHOUT_ARRAY_WRAPPER)
FROM push_inbox i
ORDER BY i.id
