#include "cli/version.h"

#include <openssl/crypto.h>
#include <xxhash.h>

#ifndef VERSION
#define VERSION "unknown"
#endif

#ifndef BUILT_WITH_LIBBSD
#define BUILT_WITH_LIBBSD "an unknown version"
#endif

void version_print(FILE *out)
{
	unsigned int running = XXH_versionNumber(); /* 801 is 0.8.1 */

	fputs("sockxfer " VERSION "\n", out);
	/* libbsd has no function that returns its version. */
	fputs("libbsd: built with " BUILT_WITH_LIBBSD ", runs with an unknown version\n", out);
	fprintf(out, "libxxhash: built with %d.%d.%d, runs with %u.%u.%u\n", XXH_VERSION_MAJOR,
	    XXH_VERSION_MINOR, XXH_VERSION_RELEASE, running / 10000, running / 100 % 100,
	    running % 100);
	fprintf(out, "OpenSSL: built with %s, runs with %s\n", OPENSSL_VERSION_STR,
	    OpenSSL_version(OPENSSL_VERSION_STRING));
}
