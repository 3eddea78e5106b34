#include "job/talk.h"

struct progress_meter_options talk_meter(const struct talk *talk, const struct outcome *outcome,
    const struct progress *progress)
{
	return (struct progress_meter_options){
	    .log = talk->log,
	    .progress = progress,
	    .name = outcome->name,
	    .sends = outcome->sends,
	    .draws = talk->draws,
	    .is_command = talk->is_command,
	};
}
