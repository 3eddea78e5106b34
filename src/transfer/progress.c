#include "transfer/progress.h"

#include "base/clock.h"

/* Relaxed: a reader may see one counter newer than another, which does a display no harm. */
static void set(_Atomic int64_t *counter, int64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

static void begin_phase(struct progress *progress, enum progress_phase phase, int64_t from,
    int64_t total)
{
	set(&progress->bytes, from);
	set(&progress->from, from);
	set(&progress->total, total);
	set(&progress->entries, PROGRESS_UNKNOWN);
	set(&progress->began, clock_now());
	progress_enter(progress, phase);
}

void progress_begin(struct progress *progress, int64_t total, bool is_tree)
{
	begin_phase(progress, PROGRESS_MOVING, 0, total);
	set(&progress->entries, is_tree ? 0 : PROGRESS_UNKNOWN);
}

void progress_check(struct progress *progress, int64_t total)
{
	begin_phase(progress, PROGRESS_CHECKING, 0, total);
}

void progress_go_on(struct progress *progress, int64_t from, int64_t total)
{
	begin_phase(progress, PROGRESS_MOVING, from, total);
}

void progress_add(struct progress *progress, int64_t bytes)
{
	atomic_fetch_add_explicit(&progress->bytes, bytes, memory_order_relaxed);
}

void progress_note_entries(struct progress *progress, int64_t entries)
{
	set(&progress->entries, entries);
}

void progress_note_total(struct progress *progress, int64_t total)
{
	set(&progress->total, total);
}

void progress_interrupt(struct progress *progress, int64_t bytes)
{
	set(&progress->bytes, bytes);
	progress_enter(progress, PROGRESS_INTERRUPTED);
}

void progress_enter(struct progress *progress, enum progress_phase phase)
{
	if (atomic_load(&progress->phase) == (int)phase)
		return;
	set(&progress->since, clock_now());
	atomic_store(&progress->phase, phase);
}
