/*
 * JSON text (RFC 8259), as far as an object with objects in it needs it. Strings may hold any
 * bytes: a byte that is not valid UTF-8 becomes U+FFFD, so that the object is valid with any file
 * name.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* An object that is being written to out, which is the caller's and keeps errors for ferror(3). */
struct json {
	FILE *out;
	bool started; /* a member has been written, of the object that was begun last */
};

/* Begin an object on out, and end it with a newline. Both block as far as out does. */
void json_begin(struct json *json, FILE *out);
void json_end(struct json *json);

/*
 * Each writes a member of the object, name and value, and blocks as far as out does. A string that
 * is NULL becomes null; ns, nanoseconds of at least 0, become seconds with a fraction.
 */
void json_string(struct json *json, const char *name, const char *value);
void json_integer(struct json *json, const char *name, int64_t value);
void json_seconds(struct json *json, const char *name, int64_t ns);

/*
 * Begin a member that is an object, whose members are what is written next, and end it. Both block
 * as far as out does.
 */
void json_begin_object(struct json *json, const char *name);
void json_end_object(struct json *json);

#endif
