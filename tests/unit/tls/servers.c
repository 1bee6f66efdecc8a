/* SPDX-License-Identifier: MIT */
#include "servers.h"

struct ground ground;
struct gp_tls_server *servers[2];

void servers_init(void)
{
	static const struct pki_request requests[] = {
		{ .names = "DNS:a.example", .key = "RSA", .bits = 2048 },
		{ .names = "DNS:b.example,DNS:*.b.example" },
	};
	const struct gp_tls_server_config second = { .certificate = "1",
						     .alpn = "imap",
						     .scope = "test" };

	ground_init(&ground, requests, 2, true);
	servers[0] = ground_server(&ground, NULL);
	servers[1] = ground_server(&ground, &second);
}

void servers_deinit(void)
{
	gp_tls_server_unref(servers[0]);
	gp_tls_server_unref(servers[1]);
	ground_deinit(&ground);
}
