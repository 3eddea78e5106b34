/* The text about a transfer under way: what fits, what is left out first, and the numbers in it. */
#include "ui/progress_text.h"

#include <limits.h>
#include <locale.h>
#include <wchar.h>

#include "base/clock.h"
#include "check.h"

#define START (1000 * CLOCK_SECOND)

/* A transfer of 2.7 GB, 10 s old, at 123 MB/s. */
static const struct progress_text moving = {
    .name = "in.jpg",
    .sends = true,
    .phase = PROGRESS_MOVING,
    .bytes = 1200000000,
    .total = 2700000000,
    .entries = PROGRESS_UNKNOWN,
    .elapsed = 10 * CLOCK_SECOND,
    .waited = 10 * CLOCK_SECOND,
    .rate = 123e6,
};

static void check_line(const struct progress_text *status, size_t width, const char *wanted)
{
	char text[PROGRESS_TEXT_MAX];

	progress_text_line(status, width, text);
	CHECK_STR(text, wanted);
}

static void whole_line(void)
{
	check_line(&moving, 79, "in.jpg   44%  1.2 GB  123 MB/s  0:10  0:12 left");
}

static void narrow_lines(void)
{
	check_line(&moving, 47, "in.jpg   44%  1.2 GB  123 MB/s  0:10  0:12 left");
	check_line(&moving, 46, "in.jpg  44% 1.2 GB 123 MB/s 0:10 0:12 left");
	check_line(&moving, 42, "in.jpg  44% 1.2 GB 123 MB/s 0:10 0:12 left");
	check_line(&moving, 39, "in.jpg  44% 1.2 GB 123 MB/s 0:12 left");
	check_line(&moving, 30, "in.jpg  44% 1.2 GB 123 MB/s");
	check_line(&moving, 23, " 44% 1.2 GB 123 MB/s");
	check_line(&moving, 19, "1.2 GB 123 MB/s");
	check_line(&moving, 8, "1.2 GB");
	check_line(&moving, 3, "1.2");
	check_line(&moving, 0, "");
}

static void unknown_total(void)
{
	struct progress_text status = moving;

	status.total = PROGRESS_UNKNOWN;
	check_line(&status, 79, "in.jpg  1.2 GB  123 MB/s  0:10");
	status.total = 0; /* an empty file, or one in /proc */
	check_line(&status, 79, "in.jpg  1.2 GB  123 MB/s  0:10");
}

static void trees(void)
{
	struct progress_text status = moving;
	char text[PROGRESS_TEXT_MAX];

	status.name = "photos";
	status.entries = 1234;
	check_line(&status, 79, "photos   44%    1234 entries  1.2 GB  123 MB/s  0:10  0:12 left");
	check_line(&status, 53, "photos  44%   1234 entries 1.2 GB 123 MB/s 0:12 left");
	check_line(&status, 45, "photos  44% 1.2 GB 123 MB/s 0:12 left");
	progress_text_sentence(&status, text);
	CHECK_STR(text,
	    "photos: 1234 entries, 1.2 GB of 2.7 GB (44%), 123 MB/s, 0:10 elapsed, 0:12 left");
	status.entries = 1;
	status.total = PROGRESS_UNKNOWN;
	check_line(&status, 79, "photos       1 entry  1.2 GB  123 MB/s  0:10");
	progress_text_sentence(&status, text);
	CHECK_STR(text, "photos: 1 entry, 1.2 GB, 123 MB/s, 0:10 elapsed");
	status.phase = PROGRESS_STORING;
	progress_text_sentence(&status, text);
	CHECK_STR(text, "photos: 1 entry, 1.2 GB, waiting for the receiver to store it");
}

static void long_names(void)
{
	struct progress_text status = moving;

	status.name = "holiday-pictures-of-last-summer.tar";
	check_line(&status, 79,
	    "holiday-pictures-of-last-summer.tar   44%  1.2 GB  123 MB/s  0:10  0:12 left");
	check_line(&status, 60, "holiday-pictures...   44%  1.2 GB  123 MB/s  0:10  0:12 left");
	check_line(&status, 39, "holid...  44% 1.2 GB 123 MB/s 0:12 left");
}

/* Columns that the text takes. */
static int columns(const char *text)
{
	wchar_t wide[PROGRESS_TEXT_MAX];

	CHECK(mbstowcs(wide, text, PROGRESS_TEXT_MAX) != (size_t)-1);
	return wcswidth(wide, PROGRESS_TEXT_MAX);
}

static void never_too_long(void)
{
	static const char *const names[] = {"", "a", "in.jpg",
	    "a-name-that-is-long-by-any-measure-at-all",
	    "\xe5\xb1\xb1\xe5\xb7\x9d\xe8\x8d\x89\xe6\x9c\xa8\xe5\xb1\xb1\xe5\xb7\x9d\xe8\x8d\x89",
	    "e\xcc\x81te\xcc\x81.jpg"};
	char text[PROGRESS_TEXT_MAX];

	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		check_skip();
	for (size_t i = 0; i < ROWS(names); i++) {
		for (int phase = PROGRESS_CHECKING; phase <= PROGRESS_INTERRUPTED; phase++) {
			struct progress_text status = moving;
			status.name = names[i];
			status.phase = (enum progress_phase)phase;
			status.entries = i % 2 == 0 ? PROGRESS_UNKNOWN : 123456789012;
			for (size_t width = 0; width < 120; width++) {
				check_row("%s, phase %d, %zu columns", names[i], phase, width);
				progress_text_line(&status, width, text);
				CHECK(columns(text) <= (int)width);
				CHECK(width < 40 || strlen(text) > 20);
			}
		}
	}
}

static void waits(void)
{
	struct progress_text status = moving;

	status.phase = PROGRESS_CONFIRMING;
	status.waited = CLOCK_SECOND;
	CHECK(progress_text_waiting(&status) == NULL);
	check_line(&status, 79, "in.jpg   44%  1.2 GB  123 MB/s  0:10  0:12 left");
	status.waited = 5 * CLOCK_SECOND;
	check_line(&status, 79,
	    "in.jpg  1.2 GB  waiting for the receiver to confirm or close  0:05");
	status.phase = PROGRESS_STORING;
	check_line(&status, 79, "in.jpg  1.2 GB  waiting for the receiver to store it  0:05");
	check_line(&status, 39, "waiting for the receiver to store it");
	status.sends = false;
	check_line(&status, 79, "in.jpg  1.2 GB  storing it  0:05");
}

static void checks(void)
{
	struct progress_text status = moving;
	char text[PROGRESS_TEXT_MAX];

	status.phase = PROGRESS_CHECKING;
	check_line(&status, 79, "in.jpg  checking   44%  1.2 GB  123 MB/s  0:10  0:12 left");
	check_line(&status, 39, "in.jpg checking  44% 1.2 GB 123 MB/s");
	check_line(&status, 15, "in.jpg checking");
	check_line(&status, 8, "checking");
	CHECK_STR(progress_text_waiting(&status), "checking what is there already");
	progress_text_sentence(&status, text);
	CHECK_STR(text,
	    "in.jpg, checking what is there already: 1.2 GB of 2.7 GB (44%), 123 MB/s, 0:10 elapsed, "
	    "0:12 left");
}

static void interruptions(void)
{
	struct progress_text status = moving;
	char text[PROGRESS_TEXT_MAX];

	status.phase = PROGRESS_INTERRUPTED;
	check_line(&status, 79, "in.jpg  interrupted at 1.2 GB, trying again  0:10");
	check_line(&status, 39, "interrupted at 1.2 GB, trying again");
	CHECK(progress_text_waiting(&status) == NULL); /* that has been said by then */
	progress_text_sentence(&status, text);
	CHECK_STR(text, "in.jpg: interrupted at 1.2 GB, trying again");
}

static void sentences(void)
{
	struct progress_text status = moving;
	char text[PROGRESS_TEXT_MAX];

	progress_text_sentence(&status, text);
	CHECK_STR(text, "in.jpg: 1.2 GB of 2.7 GB (44%), 123 MB/s, 0:10 elapsed, 0:12 left");
	status.total = PROGRESS_UNKNOWN;
	status.stalled = true;
	progress_text_sentence(&status, text);
	CHECK_STR(text, "in.jpg: 1.2 GB, stalled, 0:10 elapsed");
	status.phase = PROGRESS_STORING;
	status.waited = 0;
	progress_text_sentence(&status, text);
	CHECK_STR(text, "in.jpg: 1.2 GB, waiting for the receiver to store it");
	status.phase = PROGRESS_WAITING;
	progress_text_sentence(&status, text);
	CHECK_STR(text, "waiting for the peer");
}

/* A transfer of that total that began at START. */
static struct progress begun(int64_t total)
{
	struct progress progress = {.phase = PROGRESS_MOVING};

	progress.total = total;
	progress.entries = PROGRESS_UNKNOWN;
	progress.began = START;
	progress.since = START;
	return progress;
}

/* Lets rate bytes a second move for that many looks, four a second, from *now on. */
static struct progress_text run(struct progress *progress, struct progress_text_rate *rate,
    int64_t bytes, int looks, int64_t *now)
{
	struct progress_text status = {.name = ""};

	for (int i = 0; i < looks; i++) {
		*now += CLOCK_SECOND / 4;
		progress_add(progress, bytes / 4);
		status = progress_text_take(progress, rate, "x", true, *now);
	}
	return status;
}

static void rate_is_smooth(void)
{
	struct progress progress = begun(1000000000);
	struct progress_text_rate rate = {.began = 0};
	int64_t now = START;
	struct progress_text status = run(&progress, &rate, 1000000, 1, &now);

	CHECK_INT((int64_t)status.rate, 1000000); /* at once */
	status = run(&progress, &rate, 1000000, 40, &now);
	CHECK_INT((int64_t)status.rate, 1000000);
	status = run(&progress, &rate, 10000000, 1, &now);
	CHECK(status.rate > 1000000 && status.rate < 3000000); /* one look is no more than a hint */
	status = run(&progress, &rate, 10000000, 60, &now);
	CHECK(status.rate > 9000000 && status.rate <= 10000000);
	CHECK_INT(status.elapsed, now - START);
	CHECK(!status.stalled);
	status = run(&progress, &rate, 0, 19, &now);
	CHECK(!status.stalled);
	status = run(&progress, &rate, 0, 1, &now);
	CHECK(status.stalled);
}

static void more_than_it_said(void)
{
	struct progress progress = begun(100);
	struct progress_text_rate rate = {.began = 0};
	int64_t now = START;
	struct progress_text status = run(&progress, &rate, 1000, 1, &now);

	CHECK_INT(status.bytes, 250);
	CHECK_INT(status.total, PROGRESS_UNKNOWN);
}

static void larger_than_measured(void)
{
	struct progress progress = begun(PROGRESS_UNKNOWN);
	struct progress_text_rate rate = {.began = 0};
	int64_t now = START;

	progress_note_entries(&progress, 3);
	struct progress_text status = run(&progress, &rate, 1000, 1, &now);
	CHECK_INT(status.entries, 3);
	CHECK_INT(status.total, PROGRESS_UNKNOWN);
	progress_note_total(&progress, 400);
	status = run(&progress, &rate, 0, 1, &now);
	CHECK_INT(status.total, 400);
	status = run(&progress, &rate, 1000, 1, &now);
	CHECK_INT(status.bytes, 500);
	CHECK_INT(status.total, PROGRESS_UNKNOWN); /* never more than 100 per cent */
}

static void new_transfer(void)
{
	struct progress progress = begun(PROGRESS_UNKNOWN);
	struct progress_text_rate rate = {.began = 0};
	int64_t now = START;

	(void)run(&progress, &rate, 1000000, 10, &now);
	progress.bytes = 0;
	progress.began = now;
	struct progress_text status = run(&progress, &rate, 4000, 1, &now);
	CHECK_INT((int64_t)status.rate, 4000);
	CHECK_INT(status.bytes, 1000);
}

/* What was there already has not moved, and is not in the rate. */
static void goes_on(void)
{
	struct progress progress = {
	    .phase = PROGRESS_MOVING,
	    .bytes = 5000000 + 1000,
	    .from = 5000000,
	    .total = 9000000,
	    .began = START,
	};
	struct progress_text_rate rate = {.rate = 0};

	struct progress_text status =
	    progress_text_take(&progress, &rate, "in.jpg", true, START + CLOCK_SECOND);
	CHECK_INT(status.bytes, 5001000);
	CHECK_INT((intmax_t)status.rate, 1000);
}

static void ages(void)
{
	struct progress_text status = moving;

	status.rate = 1;
	check_line(&status, 79, "in.jpg   44%  1.2 GB     1 B/s  0:10");
	status.rate = 0;
	check_line(&status, 79, "in.jpg   44%  1.2 GB     0 B/s  0:10");
	status.stalled = true;
	check_line(&status, 79, "in.jpg   44%  1.2 GB   stalled  0:10");
}

int main(void)
{
	promise("the line has name, per cent, bytes, rate, elapsed and left", whole_line);
	promise("what does not fit is left out, the least useful first", narrow_lines);
	promise("without a total there is neither per cent nor time left", unknown_total);
	promise("of a tree it has the entries, too", trees);
	promise("a name that is too long is cut, and dots show it", long_names);
	promise("no line is wider than it may be, whatever the name", never_too_long);
	promise("after two seconds it says what is waited for", waits);
	promise("while what is there is checked, the amounts are those of the check", checks);
	promise("where it was interrupted is said until another connection is there",
	    interruptions);
	promise("the sentence has everything, in words", sentences);
	promise("the rate is there at once, follows, and does not jump", rate_is_smooth);
	promise("a source that has more than it said is of an unknown size", more_than_it_said);
	promise("a tree that is larger than it was measured is of an unknown size",
	    larger_than_measured);
	promise("a new transfer begins anew", new_transfer);
	promise("bytes that were there already are not in the rate", goes_on);
	promise("a time left that nobody can know is not told", ages);
	return check_end();
}
