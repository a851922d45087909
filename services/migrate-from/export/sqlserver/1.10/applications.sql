-- Never executed by us.
SELECT (SELECT
  c.app_id AS appId,
  c.apns_bundle AS apnsBundle,
  c.apns_key_id AS apnsKeyId,
  c.apns_team_id AS apnsTeamId,
  CASE WHEN LOWER(c.apns_environment) IN ('development', 'production') THEN LOWER(c.apns_environment) END AS apnsEnvironment,
  c.apns_private_key AS apnsPrivateKeyBase64,
  c.fcm_project_id AS fcmProjectId,
  c.fcm_private_key AS fcmPrivateKeyBase64,
  c.hms_project_id AS hmsProjectId,
  c.hms_client_id AS hmsClientId,
  c.hms_client_secret AS hmsClientSecret
  FOR JSON PATH, WITHOUT_ARRAY_WRAPPER)
FROM push_app_credentials c
ORDER BY c.id
