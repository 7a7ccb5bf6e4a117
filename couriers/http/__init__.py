"""All that a courier's plug-in calls with: client, logins, answers, links. It knows no courier."""
