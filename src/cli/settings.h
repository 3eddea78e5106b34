/*
 * What the command line asks for, in one struct. After it is read, only inetd_settle() changes it.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/addr_list.h"
#include "net/allow.h"
#include "transfer/digest.h"
#include "ui/handover.h"

enum settings_action { SETTINGS_RUN, SETTINGS_HELP, SETTINGS_VERSION };

enum settings_role { SETTINGS_SEND, SETTINGS_RECV };

enum settings_key { SETTINGS_KEY_NONE, SETTINGS_KEY_FILE, SETTINGS_KEY_NEW, SETTINGS_KEY_ASK };

struct settings {
	enum settings_action action;
	enum settings_role role;
	bool listens; /* -p or -l: listen on address; else connect to it */
	struct addr address;
	struct addr_list receivers; /* send: if there are several; address is the first */
	int family;                 /* -4, -6: AF_INET, AF_INET6; else AF_UNSPEC */
	bool has_source;            /* -s */
	struct addr source;
	struct allow_list allow; /* --allow */
	int64_t idle_limit;      /* -w, ns; 0: none */
	int64_t total_limit;     /* -W, ns; 0: none */
	int64_t retry;           /* -r, ns; 0: one try */
	int64_t idle_eof;        /* --idle-eof, ns; 0: silence is no end */
	enum settings_key key;   /* -K */
	const char *key_path;    /* of SETTINGS_KEY_FILE */
	const char *port_file;   /* --port-file, or NULL */
	int64_t chunk;           /* -B, bytes */
	int64_t rate;            /* -b, bytes a second; 0: no limit */
	int64_t max_size;        /* --max-size, bytes; 0: no limit */
	size_t jobs;             /* -j: the most transfers at once */
	size_t max_per_peer;     /* --max-per-peer: the most from one host; 0: no limit */
	int64_t grace;           /* --grace, ns: for transfers under way after SIGTERM */
	const char *congestion;  /* -C, or NULL */
	bool keeps;            /* -k: serve many; jobs, max_per_peer and grace are for this only */
	bool raw;              /* --raw */
	bool no_clobber;       /* -n */
	bool extracts;         /* -x */
	long long max_entries; /* --max-entries, of a tree with -x */
	bool sync;             /* -S */
	bool no_sync;          /* --no-sync */
	bool must_confirm;     /* -V */
	bool resumes;          /* -R */
	bool no_receipt;       /* --no-receipt */
	bool json;             /* --json */
	bool has_expected;     /* -E */
	char expected[DIGEST_TEXT_MAX];
	bool quiet;            /* -q */
	bool verbose;          /* -v */
	bool no_progress;      /* --no-progress */
	bool named;            /* --named */
	bool skips_unreadable; /* --skip-unreadable */
	const char *path;      /* the file operand, or the first of several; or "-" */
	const char **paths;    /* send: all of them, ended by NULL; or NULL */
	const char
	    *one_path[2];     /* the list, if there is one; another is settings_free()'s to free */
	char *const *command; /* the words behind --, or NULL */
	/* --peer, or HANDOVER_SOCKXFER */
	enum handover_tool peer;
};

/* The name of the role, "send" or "recv", of static duration. */
const char *settings_role_name(enum settings_role role);

/* Stdin or stdout if the data come from there or go there; -1 if a file or a command has them. */
int settings_stdio(const struct settings *settings);

/* send: whether the files travel with their names. */
bool settings_send_names(const struct settings *settings);

/* Frees what the settings own. */
void settings_free(struct settings *settings);

#endif
