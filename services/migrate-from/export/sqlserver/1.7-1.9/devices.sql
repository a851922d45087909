-- Never executed by us.
SELECT (SELECT
  a.app_id AS appId,
  d.user_id AS userId,
  d.activation_id AS activationId,
  LOWER(d.platform) AS platform,
  d.push_token AS token,
  CAST(COALESCE(d.is_active, 0) AS bit) AS active,
  CASE WHEN LOWER(a.ios_environment) IN ('development', 'production') THEN LOWER(a.ios_environment) END AS applicationEnvironment,
  CONVERT(varchar(23), CAST((d.timestamp_last_registered AT TIME ZONE '{zone}') AT TIME ZONE 'UTC' AS datetime2(3)), 126) + '+00:00' AS timestampLastRegistered
  FOR JSON PATH, WITHOUT_ARRAY_WRAPPER)
FROM push_device_registration d
LEFT JOIN push_app_credentials a ON a.id = d.app_id
ORDER BY d.id
