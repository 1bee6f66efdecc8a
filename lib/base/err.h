/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_ERR_H
#define GP_BASE_ERR_H

/* Results of library calls: GP_OK, or one of the negative values. GP_AGAIN is a normal
 * value ("nothing more can be done now"), not an error. */
enum gp_err {
	GP_AGAIN = 1,
	GP_OK = 0,
	GP_E_NOMEM = -1,     /* no memory */
	GP_E_LIMIT = -2,     /* a ceiling was reached */
	GP_E_SYNTAX = -3,    /* input does not follow its grammar */
	GP_E_STATE = -4,     /* the call does not fit the object's state */
	GP_E_IO = -5,        /* the operating system refused; errno holds why */
	GP_E_TLS = -6,       /* TLS failed; the object holds a sentence */
	GP_E_CONF = -7,      /* the operator must change the configuration */
	GP_E_NOT_FOUND = -8, /* no such thing */
	GP_E_CUT = -9        /* the peer ended without the word that belongs to an end */
};

/* Short lower-case name of `err`, never NULL. Static storage. */
const char *gp_err_name(int err);

#endif
