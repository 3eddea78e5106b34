#include "data/attributes.h"

#include <sys/types.h>
#include <unistd.h>

int attributes_copy(int fd, const struct stat *old)
{
	mode_t mode = old->st_mode & 0777;

	/* Until it has its owner, no other user may read it. */
	(void)fchmod(fd, mode & 0700);
	if (fchown(fd, old->st_uid, old->st_gid) == -1 && fchown(fd, (uid_t)-1, old->st_gid) == -1)
		mode &= ~(mode_t)070; /* the group is another one, and gets no rights */
	return fchmod(fd, mode);
}
