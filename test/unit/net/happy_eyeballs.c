/* The racing stepper of RFC 8305, run on a clock and a network that are made up. */
#include "net/happy_eyeballs.h"

#include <sys/socket.h>

#include "check.h"

#define ADDRESSES_MAX 100
#define START_OF_TIME (1000 * CLOCK_SECOND)
#define NOBODY (-1)     /* a winner: none of them */
#define AT_NO_TIME (-1) /* an end: the race waits for ever */
#define STEPS_MAX 1000  /* a stepper that makes no progress is not waited for */

/* What becomes of the attempt on an address, in ms after its beginning. */
struct fate {
	enum { BLACK_HOLE, CONNECTS, REFUSES } what; /* BLACK_HOLE if a table does not say */
	int after;
};

struct scenario {
	const char *name;
	size_t count;
	struct fate fate[ADDRESSES_MAX];
	int winner;
	int end;        /* ms from the start until the race is won or lost */
	size_t started; /* attempts begun until then */
	/* when each attempt starts; 0, but for the first, means that it does not matter */
	int starts[ADDRESSES_MAX];
};

/* A race as connect.c runs it. */
struct race {
	const struct scenario *scenario;
	struct happy_eyeballs happy;
	int64_t now;
	int64_t start[ADDRESSES_MAX];
	bool over[ADDRESSES_MAX];
	size_t started;
	int winner;
};

static int to_ms(int64_t time)
{
	return (int)((time - START_OF_TIME) / CLOCK_MILLISECOND);
}

/* When the attempt on address i ends by itself. */
static int64_t end_of(const struct race *race, size_t i)
{
	const struct fate *fate = &race->scenario->fate[i];

	if (race->over[i] || fate->what == BLACK_HOLE)
		return DEADLINE_NEVER;
	return race->start[i] + fate->after * CLOCK_MILLISECOND;
}

/* The fake poll: lets the time pass until an attempt ends, or the time until. */
static void wait_for_attempts(struct race *race, int64_t until)
{
	size_t next = race->started;
	int64_t at = until;

	for (size_t i = race->started; i-- > 0;) { /* if several end at once, the first of them */
		if (end_of(race, i) <= at && end_of(race, i) != DEADLINE_NEVER) {
			at = end_of(race, i);
			next = i;
		}
	}
	race->now = at;
	if (next == race->started)
		return;
	race->over[next] = true;
	if (race->scenario->fate[next].what == CONNECTS)
		race->winner = (int)next;
	else
		happy_eyeballs_failed(&race->happy);
}

/* Returns when the race ended, in ms. */
static int run(struct race *race)
{
	for (int steps = 0; steps < STEPS_MAX; steps++) {
		struct happy_eyeballs_step step = happy_eyeballs_next(&race->happy, race->now);
		switch (step.verb) {
		case HAPPY_EYEBALLS_START:
			CHECK_INT((int)step.index, (int)race->started);
			race->start[race->started++] = race->now;
			break;
		case HAPPY_EYEBALLS_WAIT:
			CHECK(step.until > race->now); /* else its caller would spin */
			wait_for_attempts(race, step.until);
			if (race->now == DEADLINE_NEVER)
				return AT_NO_TIME;
			break;
		case HAPPY_EYEBALLS_EXHAUSTED:
			return to_ms(race->now);
		}
		if (race->winner != NOBODY)
			return to_ms(race->now);
	}
	CHECK_FAIL("the race ends");
	return AT_NO_TIME;
}

static void run_scenario(const struct scenario *scenario)
{
	struct race race = {.scenario = scenario, .now = START_OF_TIME, .winner = NOBODY};

	check_row("%s", scenario->name);
	happy_eyeballs_init(&race.happy, scenario->count);
	CHECK_INT(run(&race), scenario->end);
	CHECK_INT(race.winner, scenario->winner);
	CHECK_INT((int)race.started, (int)scenario->started);
	for (size_t i = 1; i < race.started; i++) {
		if (scenario->starts[i] != 0)
			CHECK_INT(to_ms(race.start[i]), scenario->starts[i]);
	}
}

static void run_all(const struct scenario *scenarios, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run_scenario(&scenarios[i]);
}

static void first_wins(void)
{
	static const struct scenario scenarios[] = {
	    {"one address that connects at once", 1, {{CONNECTS, 0}}, 0, 0, 1, {0}},
	    {"one address that takes a minute", 1, {{CONNECTS, 60000}}, 0, 60000, 1, {0}},
	    {"all would connect at once", 3, {{CONNECTS, 0}, {CONNECTS, 0}, {CONNECTS, 0}}, 0, 0, 1,
		{0}},
	    {"the first within its 250 ms", 2, {{CONNECTS, 249}, {CONNECTS, 0}}, 0, 249, 1, {0}},
	    {"the first before the second, which it overlaps", 2,
		{{CONNECTS, 300}, {CONNECTS, 100}}, 0, 300, 2, {0, 250}},
	    {"the second overtakes the first", 2, {{CONNECTS, 400}, {CONNECTS, 100}}, 1, 350, 2,
		{0, 250}},
	};

	run_all(scenarios, ROWS(scenarios));
}

static void black_hole(void)
{
	static const struct scenario scenarios[] = {
	    {"then one that connects at once", 2, {{BLACK_HOLE, 0}, {CONNECTS, 0}}, 1, 250, 2, {0}},
	    {"then one that takes 30 ms", 2, {{BLACK_HOLE, 0}, {CONNECTS, 30}}, 1, 280, 2,
		{0, 250}},
	    {"two of them", 3, {{BLACK_HOLE, 0}, {BLACK_HOLE, 0}, {CONNECTS, 0}}, 2, 500, 3,
		{0, 250, 500}},
	    {"31 of 32", 32, {[31] = {CONNECTS, 0}}, 31, 7750, 32, {[30] = 7500, [31] = 7750}},
	};

	run_all(scenarios, ROWS(scenarios));
}

static void refusal(void)
{
	static const struct scenario scenarios[] = {
	    {"at once", 2, {{REFUSES, 0}, {CONNECTS, 0}}, 1, 0, 2, {0}},
	    {"after 40 ms", 2, {{REFUSES, 40}, {CONNECTS, 5}}, 1, 45, 2, {0, 40}},
	    {"of the second", 3, {{BLACK_HOLE, 0}, {REFUSES, 0}, {CONNECTS, 0}}, 2, 250, 3,
		{0, 250, 250}},
	    {"of an older attempt", 3, {{REFUSES, 300}, {BLACK_HOLE, 0}, {CONNECTS, 0}}, 2, 300, 3,
		{0, 250, 300}},
	    {"31 of 32", 32, {[0 ... 30] = {REFUSES, 0}, [31] = {CONNECTS, 7}}, 31, 7, 32, {0}},
	};

	run_all(scenarios, ROWS(scenarios));
}

static void pause_starts_anew(void)
{
	static const struct scenario scenarios[] = {
	    {"after a refusal", 3, {{REFUSES, 100}, {BLACK_HOLE, 0}, {CONNECTS, 0}}, 2, 350, 3,
		{0, 100, 350}},
	    {"after a refusal of an older attempt", 4,
		{{REFUSES, 300}, {BLACK_HOLE, 0}, {BLACK_HOLE, 0}, {CONNECTS, 0}}, 3, 550, 4,
		{0, 250, 300, 550}},
	};

	run_all(scenarios, ROWS(scenarios));
}

static void all_fail(void)
{
	static const struct scenario scenarios[] = {
	    {"one, at once", 1, {{REFUSES, 0}}, NOBODY, 0, 1, {0}},
	    {"three, at once", 3, {{REFUSES, 0}, {REFUSES, 0}, {REFUSES, 0}}, NOBODY, 0, 3, {0}},
	    {"the first last", 2, {{REFUSES, 900}, {REFUSES, 10}}, NOBODY, 900, 2, {0, 250}},
	    {"each after a second", 3, {{REFUSES, 1000}, {REFUSES, 1000}, {REFUSES, 1000}}, NOBODY,
		1500, 3, {0, 250, 500}},
	    {"there is none", 0, {{BLACK_HOLE, 0}}, NOBODY, 0, 0, {0}},
	};

	run_all(scenarios, ROWS(scenarios));
}

static void waits_for_ever(void)
{
	static const struct scenario scenarios[] = {
	    {"one black hole", 1, {{BLACK_HOLE, 0}}, NOBODY, AT_NO_TIME, 1, {0}},
	    {"32 black holes", 32, {{BLACK_HOLE, 0}}, NOBODY, AT_NO_TIME, 32, {[31] = 7750}},
	    {"one black hole among refusals", 3, {{REFUSES, 0}, {BLACK_HOLE, 0}, {REFUSES, 0}},
		NOBODY, AT_NO_TIME, 3, {0, 0, 250}},
	};

	run_all(scenarios, ROWS(scenarios));
}

static void late_caller(void)
{
	struct happy_eyeballs happy;
	struct happy_eyeballs_step step;
	int64_t late = START_OF_TIME + 60 * CLOCK_SECOND;

	happy_eyeballs_init(&happy, 3);
	CHECK_INT(happy_eyeballs_next(&happy, START_OF_TIME).verb, HAPPY_EYEBALLS_START);
	CHECK_INT(happy_eyeballs_next(&happy, START_OF_TIME).verb, HAPPY_EYEBALLS_WAIT);
	CHECK_INT(happy_eyeballs_next(&happy, late).verb, HAPPY_EYEBALLS_START);
	step = happy_eyeballs_next(&happy, late);
	CHECK_INT(step.verb, HAPPY_EYEBALLS_WAIT);
	CHECK_INT(step.until, late + HAPPY_EYEBALLS_DELAY);
}

static void asked_early(void)
{
	struct happy_eyeballs happy;

	happy_eyeballs_init(&happy, 2);
	CHECK_INT(happy_eyeballs_next(&happy, START_OF_TIME).verb, HAPPY_EYEBALLS_START);
	for (int64_t ns = 0; ns < HAPPY_EYEBALLS_DELAY; ns += HAPPY_EYEBALLS_DELAY / 10) {
		struct happy_eyeballs_step step = happy_eyeballs_next(&happy, START_OF_TIME + ns);
		CHECK_INT(step.verb, HAPPY_EYEBALLS_WAIT);
		CHECK_INT(step.until, START_OF_TIME + HAPPY_EYEBALLS_DELAY);
	}
	CHECK_INT(happy_eyeballs_next(&happy, START_OF_TIME + HAPPY_EYEBALLS_DELAY - 1).verb,
	    HAPPY_EYEBALLS_WAIT);
	CHECK_INT(happy_eyeballs_next(&happy, START_OF_TIME + HAPPY_EYEBALLS_DELAY).verb,
	    HAPPY_EYEBALLS_START);
}

static void postponed(void)
{
	struct happy_eyeballs happy;
	struct happy_eyeballs_step step;
	int64_t later = START_OF_TIME + HAPPY_EYEBALLS_DELAY;

	happy_eyeballs_init(&happy, 3);
	CHECK_INT(happy_eyeballs_next(&happy, START_OF_TIME).verb, HAPPY_EYEBALLS_START);
	CHECK_INT(happy_eyeballs_next(&happy, later).verb, HAPPY_EYEBALLS_START);
	happy_eyeballs_postponed(&happy);
	step = happy_eyeballs_next(&happy, later + 60 * CLOCK_SECOND);
	CHECK_INT(step.verb, HAPPY_EYEBALLS_WAIT);
	CHECK_INT(step.until, DEADLINE_NEVER);
	happy_eyeballs_failed(&happy);
	step = happy_eyeballs_next(&happy, later + 61 * CLOCK_SECOND);
	CHECK_INT(step.verb, HAPPY_EYEBALLS_START);
	CHECK_INT((int)step.index, 1);
	happy_eyeballs_failed(&happy);
	step = happy_eyeballs_next(&happy, later + 61 * CLOCK_SECOND);
	CHECK_INT(step.verb, HAPPY_EYEBALLS_START);
	CHECK_INT((int)step.index, 2);
	happy_eyeballs_failed(&happy);
	CHECK_INT(happy_eyeballs_next(&happy, later).verb, HAPPY_EYEBALLS_EXHAUSTED);
}

/* Reads families from a string of 6 and 4, as "6644". Returns how many there are. */
static size_t read_families(const char *text, int *families)
{
	for (size_t i = 0; text[i] != '\0'; i++)
		families[i] = text[i] == '6' ? AF_INET6 : AF_INET;
	return strlen(text);
}

static void interleaves(void)
{
	static const struct {
		const char *families;
		const char *order; /* indexes as letters, from a on */
	} rows[] = {
	    {"6", "a"},
	    {"64", "ab"},
	    {"46", "ab"},
	    {"444", "abc"},
	    {"666", "abc"},
	    {"6644", "acbd"},
	    {"4466", "acbd"},
	    {"6464", "abcd"},
	    {"6446", "abdc"},
	    {"6664", "adbc"},
	    {"4666", "abcd"},
	    {"64446", "abecd"},
	    {"666444", "adbecf"},
	    {"44444466", "agbhcdef"},
	};
	int families[ADDRESSES_MAX];
	size_t order[ADDRESSES_MAX];
	char letters[ADDRESSES_MAX + 1];

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t count = read_families(rows[i].families, families);
		check_row("%s", rows[i].families);
		happy_eyeballs_order(families, count, order);
		for (size_t j = 0; j < count; j++)
			letters[j] = (char)('a' + (order[j] < 26 ? order[j] : 25));
		letters[count] = '\0';
		CHECK_STR(letters, rows[i].order);
	}
	happy_eyeballs_order(families, 0, order);
}

/* Checks that order[] is a permutation that keeps each family's own order, as for any mix. */
static void check_order(const int *families, size_t count)
{
	size_t order[ADDRESSES_MAX];
	bool seen[ADDRESSES_MAX] = {false};
	size_t last[2] = {0, 0};
	size_t left[2] = {0, 0};

	for (size_t i = 0; i < count; i++)
		left[families[i] == AF_INET6]++;
	happy_eyeballs_order(families, count, order);
	for (size_t i = 0; i < count; i++) {
		if (!CHECK(order[i] < count) || !CHECK(!seen[order[i]]))
			return;
		int family = families[order[i]] == AF_INET6;
		seen[order[i]] = true;
		CHECK(order[i] >= last[family]);
		last[family] = order[i];
		if (i > 0 && left[0] > 0 && left[1] > 0)
			CHECK(families[order[i]] != families[order[i - 1]]);
		left[family]--;
	}
}

static void orders_every_mix(void)
{
	int families[ADDRESSES_MAX];
	uint32_t random = 1;

	for (uint32_t mix = 0; mix < 1 << 10; mix++) { /* every mix of ten */
		for (size_t i = 0; i < 10; i++)
			families[i] = (mix >> i & 1) != 0 ? AF_INET6 : AF_INET;
		check_row("ten, %#x", mix);
		check_order(families, 10);
	}
	for (int mix = 0; mix < 100; mix++) { /* some of as many as there may be */
		for (size_t i = 0; i < ADDRESSES_MAX; i++) {
			random = random * 1664525 + 1013904223;
			families[i] = random >> 31 != 0 ? AF_INET6 : AF_INET;
		}
		check_row("%d, mix %d", ADDRESSES_MAX, mix);
		check_order(families, ADDRESSES_MAX);
	}
}

int main(void)
{
	promise("the first address to connect wins, and those after it are not tried", first_wins);
	promise("a black-holed address costs 250 ms, not its timeout", black_hole);
	promise("a refusal, of whatever attempt, starts the next one at once", refusal);
	promise("the 250 ms count from the last start, not from the first", pause_starts_anew);
	promise("the race is lost when the last attempt has failed, and not before", all_fail);
	promise("once all are begun, nothing but an attempt's end is waited for", waits_for_ever);
	promise("a caller that comes late does not start all at once", late_caller);
	promise("asking too early, or often, changes nothing", asked_early);
	promise("an attempt that lacks a descriptor starts when another has failed", postponed);
	promise("addresses alternate between the families, the resolver's first one first",
	    interleaves);
	promise("in every mix each address comes once, each family in its own order",
	    orders_every_mix);
	return check_end();
}
