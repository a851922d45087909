-- Never executed by us.
SELECT (SELECT
  c.app_id AS appId,
  c.ios_bundle AS apnsBundle,
  c.ios_key_id AS apnsKeyId,
  c.ios_team_id AS apnsTeamId,
  CASE WHEN LOWER(c.ios_environment) IN ('development', 'production') THEN LOWER(c.ios_environment) END AS apnsEnvironment,
  c.ios_private_key AS apnsPrivateKeyBase64,
  c.android_project_id AS fcmProjectId,
  c.android_private_key AS fcmPrivateKeyBase64,
  c.hms_project_id AS hmsProjectId,
  c.hms_client_id AS hmsClientId,
  c.hms_client_secret AS hmsClientSecret
  FOR JSON PATH, WITHOUT_ARRAY_WRAPPER)
FROM push_app_credentials c
ORDER BY c.id
