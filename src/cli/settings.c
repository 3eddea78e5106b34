#include "cli/settings.h"

#include <string.h>
#include <unistd.h>

const char *settings_role_name(enum settings_role role)
{
	return role == SETTINGS_SEND ? "send" : "recv";
}

int settings_stdio(const struct settings *settings)
{
	if (settings->command != NULL || strcmp(settings->path, "-") != 0)
		return -1;
	return settings->role == SETTINGS_SEND ? STDIN_FILENO : STDOUT_FILENO;
}
