/* SPDX-License-Identifier: MIT */
#include "daemon/process/control.h"

#include <string.h>

#include "base/err.h"
#include "io/socket.h"

/* message = version type 6 zero bytes, three 64 bit numbers, text; host order, since both ends
 * are the same program on one machine */
enum { HEAD = 8, NUMBERS = 8 * GP_CONTROL_NUMBERS };

size_t gp_control_encode(const struct gp_control *control, uint8_t out[static GP_CONTROL_SIZE_MAX])
{
	size_t text_len = strnlen(control->text, GP_CONTROL_TEXT_MAX - 1);

	memset(out, 0, HEAD);
	out[0] = GP_CONTROL_VERSION;
	out[1] = (uint8_t)control->type;
	memcpy(out + HEAD, control->number, NUMBERS);
	memcpy(out + HEAD + NUMBERS, control->text, text_len);
	return HEAD + NUMBERS + text_len;
}

int gp_control_decode(const uint8_t *data, size_t len, struct gp_control *control_out)
{
	size_t text_len = len - HEAD - NUMBERS;

	if (len < HEAD + NUMBERS || text_len >= GP_CONTROL_TEXT_MAX ||
	    data[0] != GP_CONTROL_VERSION || data[1] < GP_CONTROL_SETUP ||
	    data[1] > GP_CONTROL_CLEARTEXT_LOGIN)
		return GP_E_SYNTAX;
	memset(control_out, 0, sizeof(*control_out));
	control_out->type = (enum gp_control_type)data[1];
	memcpy(control_out->number, data + HEAD, NUMBERS);
	memcpy(control_out->text, data + HEAD + NUMBERS, text_len);
	return GP_OK;
}

int gp_control_send(int sock, const struct gp_control *control, const int *fds, size_t fd_count)
{
	uint8_t data[GP_CONTROL_SIZE_MAX];

	return gp_socket_send_fds(sock, data, gp_control_encode(control, data), fds, fd_count);
}

int gp_control_receive(int sock, struct gp_control *control_out, int *fds, size_t fd_max,
		       size_t *fd_count_out)
{
	uint8_t data[GP_CONTROL_SIZE_MAX];
	size_t len;
	int ret = gp_socket_receive_fds(sock, data, sizeof(data), &len, fds, fd_max, fd_count_out);

	if (ret != GP_OK)
		return ret;
	return len ? gp_control_decode(data, len, control_out) : GP_E_NOT_FOUND;
}
