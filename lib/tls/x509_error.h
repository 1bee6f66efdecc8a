/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_X509_ERROR_H
#define GP_TLS_X509_ERROR_H

/* The word of reports for what is wrong with a chain (RFC 8460 section 4.4), as OpenSSL names its
 * X509_V_ERR_... `error`; a sentence for a rare one. Static storage. */
const char *gp_x509_error_name(int error);

#endif
