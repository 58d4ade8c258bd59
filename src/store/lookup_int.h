/* Between the status route's queries and the JSON made of their rows. */
#ifndef STORE_LOOKUP_INT_H
#define STORE_LOOKUP_INT_H

#include <mysql.h>

#include "store/lookup.h"

/*
 * The first columns of every query; what follows them goes into the answer
 * under its own name.
 */
enum {
	C_NUMBER,		/* of the question */
	C_SECRET,		/* hash of the secret that opens it, or NULL */
	C_STATUS,
	C_PAYMENT_STATUS,	/* a session's */
	C_PAYS,			/* what a session pays */
	C_PAYS_STATUS,
	C_CODE, C_DECLINE_CODE, C_MESSAGE,	/* of the last attempt */
	C__MAX
};

/* A row of a query's result. */
struct lookup_row {
	MYSQL_ROW value;
	const unsigned long *length;
	const MYSQL_FIELD *field;
	unsigned n;
};

/* Sets json and final of the answer, from a row or, without one, as pending. */
void lookup_tell(struct lookup *l, const struct lookup_row *row);

#endif
