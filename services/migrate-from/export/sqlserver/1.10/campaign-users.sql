-- Never executed by us.
SELECT (SELECT
  CAST(u.campaign_id AS varchar(20)) AS campaignId,
  u.user_id AS userId,
  CASE WHEN c.id IS NOT NULL THEN CAST(COALESCE(c.is_sent, 0) AS bit) END AS sent
  FOR JSON PATH, WITHOUT_ARRAY_WRAPPER)
FROM (SELECT DISTINCT campaign_id, user_id FROM push_campaign_user) u
LEFT JOIN push_campaign c ON c.id = u.campaign_id
ORDER BY u.campaign_id, u.user_id
