/*
 * Workers that do harm at a request's word, as one would that somebody has got
 * into: the tests of the sandbox build such ones (--enable-misbehaviour). In
 * all other builds there is nothing here.
 */
#ifndef HTTP_MISBEHAVE_H
#define HTTP_MISBEHAVE_H

#include <fcgiapp.h>

#ifdef MISBEHAVIOUR
/* Does what the header X-Misbehave names, and logs what came of it. */
void misbehave(FCGX_Request *r);
#else
static inline void
misbehave(FCGX_Request *r)
{
	(void)r;
}
#endif

#endif
