-- Never executed by us.
SELECT (SELECT
  CAST(c.id AS varchar(20)) AS id,
  a.app_id AS appId,
  c.message AS message,
  CAST(COALESCE(c.is_sent, 0) AS bit) AS sent,
  CONVERT(varchar(23), CAST((c.timestamp_created AT TIME ZONE '{zone}') AT TIME ZONE 'UTC' AS datetime2(3)), 126) + '+00:00' AS timestampCreated
  FOR JSON PATH, WITHOUT_ARRAY_WRAPPER)
FROM push_campaign c
LEFT JOIN push_app_credentials a ON a.id = c.app_id
ORDER BY c.id
