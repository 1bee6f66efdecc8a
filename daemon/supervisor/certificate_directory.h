/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_CERTIFICATE_DIRECTORY_H
#define GP_DAEMON_SUPERVISOR_CERTIFICATE_DIRECTORY_H

#include <stddef.h>

/* A directory of certificates: each NAME.pem holds chain and key, each directory NAME has
 * fullchain.pem and privkey.pem (certbot's live/). NAME.ocsp and NAME/ocsp.der are responses. */

struct gp_directory_certificate {
	char *name;
	char *directory; /* its own, when it has one */
	char *chain;     /* paths */
	char *key;       /* the same path for NAME.pem */
	char *ocsp;      /* of an OCSP response, which need not be there */
};

/* Sorted by name. GP_OK, GP_E_NOMEM, or GP_E_IO with errno; the list is then empty. */
int gp_certificate_directory_read(const char *path, struct gp_directory_certificate **list_out,
				  size_t *count_out);
void gp_certificate_directory_free(struct gp_directory_certificate *list, size_t count);

#endif
