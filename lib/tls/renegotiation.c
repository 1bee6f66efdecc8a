/* SPDX-License-Identifier: MIT */
#include "tls/renegotiation_openssl.h"

static int mark_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static void on_info(const SSL *ssl, int where, int ret)
{
	static char mark;

	if (where == SSL_CB_WRITE_ALERT && (ret & 0xff) == SSL_AD_NO_RENEGOTIATION)
		SSL_set_ex_data((SSL *)(uintptr_t)ssl, mark_index(), &mark);
}

void gp_renegotiation_watch(SSL_CTX *ctx)
{
	SSL_CTX_set_info_callback(ctx, on_info);
}

bool gp_renegotiation_was_tried(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, mark_index()) != NULL;
}
