/* SPDX-License-Identifier: MIT */
#include "base/public_ip.h"

#include "base/err.h"

/* The registries of RFC 6890 at IANA. A few single addresses in 192.0.0.0/24 and 2001::/23 are
 * reachable; no web server has one. */
static const char *const special[] = {
	"0.0.0.0/8",       /* this network (RFC 791) */
	"10.0.0.0/8",      /* private (RFC 1918) */
	"100.64.0.0/10",   /* shared by customers of a provider (RFC 6598) */
	"127.0.0.0/8",     /* loopback */
	"169.254.0.0/16",  /* link-local (RFC 3927), and cloud metadata */
	"172.16.0.0/12",   /* private */
	"192.0.0.0/24",    /* IETF protocols */
	"192.0.2.0/24",    /* documentation (RFC 5737) */
	"192.88.99.0/24",  /* 6to4 relays, withdrawn (RFC 7526) */
	"192.168.0.0/16",  /* private */
	"198.18.0.0/15",   /* benchmarks (RFC 2544) */
	"198.51.100.0/24", /* documentation */
	"203.0.113.0/24",  /* documentation */
	"224.0.0.0/3",     /* multicast, reserved, broadcast */
	"2001::/23",       /* IETF protocols, Teredo among them */
	"2001:db8::/32",   /* documentation (RFC 3849) */
	"3fff::/20",       /* documentation (RFC 9637) */
};

/* Where IPv6 contains IPv4, and at which byte. */
static const struct {
	const char *network;
	size_t at;
} embedding[] = {
	{ "::ffff:0:0/96", 12 }, /* mapped (RFC 4291) */
	{ "64:ff9b::/96", 12 },  /* NAT64 (RFC 6052) */
	{ "2002::/16", 2 },      /* 6to4 (RFC 3056) */
};

static bool is_in(const char *text, const struct gp_endpoint *e)
{
	struct gp_network network;

	return gp_network_parse(text, &network) == GP_OK && gp_network_contains(&network, e);
}

static bool find_embedded(const struct gp_endpoint *e, struct gp_endpoint *inner_out)
{
	for (size_t i = 0; i < sizeof(embedding) / sizeof(*embedding); i++) {
		if (!is_in(embedding[i].network, e))
			continue;
		*inner_out = gp_endpoint_from_bytes(e->ip + embedding[i].at, 4);
		return true;
	}
	return false;
}

bool gp_ip_is_public(const struct gp_endpoint *e)
{
	struct gp_endpoint address = *e;

	if (address.family == GP_ENDPOINT_IP6 && !find_embedded(e, &address) &&
	    !is_in("2000::/3", e))
		return false;
	if (address.family != GP_ENDPOINT_IP4 && address.family != GP_ENDPOINT_IP6)
		return false;
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++) {
		if (is_in(special[i], &address))
			return false;
	}
	return true;
}
