/* SPDX-License-Identifier: MIT */
#include "policy/fetch_wire.h"

#include "base/err.h"

int gp_fetch_order_encode(const struct gp_fetch_order *order, struct gp_buf *out)
{
	int ret = gp_buf_append_str(out, order->domain);
	char ip[GP_IP_TEXT_SIZE];

	for (size_t i = 0; i < order->count && ret == GP_OK; i++) {
		gp_endpoint_format_ip(&order->addresses[i], ip);
		ret = gp_buf_appendf(out, " %s", ip);
	}
	return ret;
}

static int read_domain(struct gp_str word, char out[static GP_FETCH_DOMAIN_SIZE])
{
	if (!word.len || word.len >= GP_FETCH_DOMAIN_SIZE)
		return GP_E_SYNTAX;
	gp_str_copy(word, out, GP_FETCH_DOMAIN_SIZE);
	return GP_OK;
}

int gp_fetch_order_decode(struct gp_str packet, struct gp_fetch_order *order_out)
{
	int ret = read_domain(gp_str_split(&packet, ' '), order_out->domain);

	order_out->count = 0;
	while (packet.len && ret == GP_OK) {
		char ip[GP_IP_TEXT_SIZE];

		if (order_out->count == GP_FETCH_WIRE_ADDRESSES_MAX)
			return GP_E_SYNTAX;
		gp_str_copy(gp_str_split(&packet, ' '), ip, sizeof(ip));
		ret = gp_endpoint_parse_ip(ip, &order_out->addresses[order_out->count++]);
	}
	return ret;
}

static int append_line(struct gp_str text, struct gp_buf *out)
{
	int ret = GP_OK;

	for (size_t i = 0; i < text.len && ret == GP_OK; i++)
		ret = gp_buf_append_byte(out, text.p[i] == '\n' ? ' ' : (uint8_t)text.p[i]);
	return ret == GP_OK ? gp_buf_append_byte(out, '\n') : ret;
}

int gp_fetch_answer_encode(const struct gp_fetch_answer *answer, struct gp_buf *out)
{
	int ret = gp_buf_appendf(out, "%s %d\n", answer->domain, (int)answer->failure);

	if (ret == GP_OK)
		ret = append_line(gp_str_of(answer->detail), out);
	return ret == GP_OK ? gp_buf_append(out, answer->body.p, answer->body.len) : ret;
}

int gp_fetch_answer_decode(struct gp_str packet, struct gp_fetch_answer *answer_out)
{
	struct gp_str line = gp_str_split(&packet, '\n');
	uint64_t failure = 0;
	int ret = read_domain(gp_str_split(&line, ' '), answer_out->domain);

	if (ret == GP_OK)
		ret = gp_str_parse_uint(line, GP_MTASTS_WEBPKI_INVALID, &failure);
	answer_out->failure = (enum gp_mtasts_failure)failure;
	gp_str_copy(gp_str_split(&packet, '\n'), answer_out->detail, sizeof(answer_out->detail));
	answer_out->body = packet;
	return ret;
}
