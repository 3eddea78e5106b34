#include "cli/settings.h"

#include <stdlib.h>
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

bool settings_send_names(const struct settings *settings)
{
	return settings->named || (settings->paths != NULL && settings->paths[0] != NULL &&
				      settings->paths[1] != NULL);
}

void settings_free(struct settings *settings)
{
	if (settings->paths != settings->one_path)
		free(settings->paths);
	settings->paths = NULL;
}
