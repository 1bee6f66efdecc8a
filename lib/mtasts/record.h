/* SPDX-License-Identifier: MIT */
#ifndef GP_MTASTS_RECORD_H
#define GP_MTASTS_RECORD_H

#include <stddef.h>

#include "base/str.h"

/* The TXT records at _mta-sts.DOMAIN, which say that there is a policy, and which (RFC 8461
 * section 3.1). Ids have no order: only whether two are the same means something. */

enum { GP_MTASTS_ID_SIZE = 33 }; /* 32 letters or digits, and a NUL */

/* Read one record, its strings already joined (gp_txt_join). GP_OK, and its id is in `id_out`; or
 * GP_E_NOT_FOUND, and *reason_out is a static sentence that says which rule is broken. */
int gp_mtasts_record_parse(struct gp_str text, char id_out[static GP_MTASTS_ID_SIZE],
			   const char **reason_out);

/* The same for all the records of the name. One alone is held against the whole grammar, blanks
 * around ";" included; of several those that do not begin with the bytes "v=STSv1;" are left out
 * first, and exactly one must remain. */
int gp_mtasts_record_find(const struct gp_str *records, size_t count,
			  char id_out[static GP_MTASTS_ID_SIZE], const char **reason_out);

#endif
