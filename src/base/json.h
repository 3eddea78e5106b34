/*
 * JSON text (RFC 8259), as far as a flat object needs it. Strings may hold any bytes: what is no
 * valid UTF-8 becomes U+FFFD, so that the object is valid whatever a file is called.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* An object being written. Errors of out stay with out, for ferror(3). */
struct json {
	FILE *out;
	bool started; /* a member has been written */
};

/* Begins an object on out, and ends it with a newline. */
void json_begin(struct json *json, FILE *out);
void json_end(struct json *json);

/* Members of the object, in the order of the calls. A string that is NULL is null. */
void json_string(struct json *json, const char *name, const char *value);
void json_integer(struct json *json, const char *name, int64_t value);
void json_seconds(struct json *json, const char *name, int64_t ns);

#endif
