/*
 * The rows, made again from the journal by the code that made them first, and
 * compared with what stands in the tables. Works through the journal in
 * chunks of whole objects, so that memory stays flat and deliveries go on.
 */
#ifndef STORE_REBUILD_H
#define STORE_REBUILD_H

#include <mysql.h>
#include <stdbool.h>

#include "base/config.h"
#include "store/difference.h"

struct err;

struct rebuild {
	MYSQL *mysql;			/* the owner's connection */
	const struct config *cfg;
	bool repair;			/* else only compare */
	bool restart;			/* not where the last one stopped */
	/* Called for each difference, once it stands or is repaired. */
	void (*found)(void *arg, const struct difference *d);
	/* Called now and then. */
	void (*progress)(void *arg, const struct rebuild *r);
	void *arg;
	/* Out: */
	long events, total;		/* read; in the journal, about */
	long shared;			/* read once more, for shared tables */
	long rows;			/* that differ or were repaired */
	long left;			/* that deliveries changed each time
					   before they could be repaired */
};

/* Returns 0, or -1 with the reason in err. */
int rebuild_run(struct rebuild *r, struct err *err)
    __attribute__((warn_unused_result));

#endif
