-- SPDX-License-Identifier: MIT
-- A module of Prosody for the lab: domains lead where `lab_hosts` says, instead of where DNS does.
local adns = require "net.adns";
local hosts = module:get_option("lab_hosts", {});

local function answer(name, kind)
	local domain = name:gsub("%.$", ""):gsub("^_xmpp%-server%._tcp%.", "");
	local host, port = (hosts[domain] or ""):match("^(.*):(%d+)$");
	if not host then
		return {};
	elseif kind == "SRV" and name:find("^_xmpp%-server%._tcp%.") then
		return { { srv = { priority = 0, weight = 0, port = tonumber(port), target = domain } } };
	elseif kind == "A" then
		return { { a = host } };
	end
	return {};
end

local resolver = {};

function resolver:lookup(handler, name, kind)
	handler(answer(name, kind));
end

function adns.resolver()
	return resolver;
end

function adns.lookup(handler, name, kind)
	handler(answer(name, kind));
end
