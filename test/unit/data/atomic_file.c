/* A file that appears in one step: when, and under which name. */
#include "data/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "check.h"

/* In a directory the name is found at the end, and the first may be taken. */
static void appears(void)
{
	struct atomic_file file;
	struct err err = {.kind = ERR_NONE};

	CHECK_INT(mkdir("dir", 0700), 0);
	int fd = open("dir/file", O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd != -1);
	close(fd);
	file = (struct atomic_file){.fd = -1};
	CHECK_INT(place_find(&file.place, "dir", &err), 0);
	place_enter(&file.place);
	CHECK_INT(atomic_file_open(&file, "dir", NULL, &err), 0);
	strlcpy(file.place.name, "file", sizeof(file.place.name));
	CHECK_INT(atomic_file_publish(&file, true), -1);
	CHECK_INT(errno, EEXIST);
	strlcpy(file.place.name, "new", sizeof(file.place.name));
	CHECK_INT(access("dir/new", F_OK), -1);
	CHECK_INT(atomic_file_publish(&file, true), 0);
	CHECK_INT(access("dir/new", F_OK), 0);
	atomic_file_close(&file);
	atomic_file_close(&file); /* and once more, which is nothing */
}

int main(void)
{
	promise("a new file appears when it is published, by each of the names that are tried",
	    appears);
	return check_end();
}
