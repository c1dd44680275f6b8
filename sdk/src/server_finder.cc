#include "server_finder.h"

#include <algorithm>
#include <memory>

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "env/net.h"
#include "runtime/config/config_table.h"
#include "runtime/loop/fd.h"

namespace muster::sdk_core {
namespace {

constexpr std::size_t kPlacesMax = 64;
constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 10U;
constexpr timeval kHttpTimeout{.tv_sec = 2, .tv_usec = 0};

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Outcome<Addresses> resolve(const ServerFinder::Place& place) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const int why = ::getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &found);
    if (why != 0) {
        return failed(MUSTER_UNAVAILABLE, place.host + ": " + ::gai_strerror(why));
    }
    return Addresses(found, ::freeaddrinfo);
}

Outcome<std::string> numeric(const addrinfo& address) {
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    if (::getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return failed(MUSTER_UNAVAILABLE, "an address that cannot be written");
    }
    const bool is_v6 = address.ai_family == AF_INET6;
    return (is_v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

// The body of the answer of one HTTP/1.0 request.
Outcome<std::string> get(const addrinfo& address, const ServerFinder::Place& place) {
    const runtime::Fd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::setsockopt(fd.raw(), SOL_SOCKET, SO_SNDTIMEO, &kHttpTimeout, sizeof kHttpTimeout);
    ::setsockopt(fd.raw(), SOL_SOCKET, SO_RCVTIMEO, &kHttpTimeout, sizeof kHttpTimeout);
    const std::string where = "http://" + place.host + ":" + place.port + "/api/servers/query";
    const std::string request =
        "GET /api/servers/query HTTP/1.0\r\nHost: " + place.host + ":" + place.port + "\r\n\r\n";
    if (!fd.valid() || ::connect(fd.raw(), address.ai_addr, address.ai_addrlen) != 0 ||
        !send_all(fd.raw(), request)) {
        return failed(MUSTER_UNAVAILABLE, where + ": cannot connect");
    }
    std::string answer;
    char part[4096];
    while (answer.size() < kAnswerBytesMax) {
        const auto size = ::recv(fd.raw(), part, sizeof part, 0);
        if (size <= 0) {
            break;
        }
        answer.append(part, static_cast<std::size_t>(size));
    }
    const auto body = answer.find("\r\n\r\n");
    const bool is_ok = answer.starts_with("HTTP/1.") && answer.substr(8, 4) == " 200";
    if (!is_ok || body == std::string::npos) {
        return failed(MUSTER_UNAVAILABLE, where + ": no list of servers");
    }
    return answer.substr(body + 4);
}

// "ip:port;ip:port", each maybe with "?weight=..." behind it.
void take_servers(std::string_view body, std::vector<std::string>& servers) {
    while (!body.empty()) {
        const auto end = body.find(';');
        std::string_view server = body.substr(0, end);
        server = server.substr(0, server.find('?'));
        if (env::parse_socket_address(server)) {
            servers.emplace_back(server);
        }
        body = end == std::string_view::npos ? std::string_view{} : body.substr(end + 1);
    }
}

}  // namespace

Outcome<ServerFinder> ServerFinder::parse(std::string_view text) {
    constexpr std::string_view kHttp = "http://";
    ServerFinder finder;
    for (std::string_view part : runtime::split_list(text)) {
        if (part.empty()) {
            continue;
        }
        if (env::parse_socket_address(part)) {
            finder.known_.emplace_back(part);
            continue;
        }
        const std::string whole(part);
        const bool ask_http = part.starts_with(kHttp);
        if (ask_http) {
            part.remove_prefix(kHttp.size());
            part = part.substr(0, part.find('/'));
        }
        const auto colon = part.rfind(':');
        const auto port = colon != std::string_view::npos ? part.substr(colon + 1) : "";
        const bool is_number =
            !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos;
        std::string_view host = part.substr(0, colon);
        if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
            host = host.substr(1, host.size() - 2);
        }
        if (!is_number || host.empty()) {
            return failed(MUSTER_INVALID_ARGUMENT,
                          "server '" + whole + "': expected host:port or http://host:port");
        }
        finder.places_.push_back(
            {.host = std::string(host), .port = std::string(port), .ask_http = ask_http});
    }
    if (finder.known_.size() + finder.places_.size() > kPlacesMax) {
        return failed(MUSTER_INVALID_ARGUMENT, "at most 64 servers can be named");
    }
    if (finder.known_.empty() && finder.places_.empty()) {
        return failed(MUSTER_INVALID_ARGUMENT, "no server is named; expected host:port");
    }
    return finder;
}

ServerFinder::Found ServerFinder::find(const std::vector<Place>& places) {
    Found found;
    for (const Place& place : places) {
        auto addresses = resolve(place);
        if (!addresses) {
            found.problems.push_back(addresses.error().message);
            continue;
        }
        for (const addrinfo* each = addresses->get(); each != nullptr; each = each->ai_next) {
            if (!place.ask_http) {
                if (auto address = numeric(*each)) {
                    found.servers.push_back(std::move(*address));
                }
                continue;
            }
            auto body = get(*each, place);
            if (body) {
                take_servers(*body, found.servers);
                break;
            }
            found.problems.push_back(body.error().message);
        }
    }
    std::ranges::sort(found.servers);
    found.servers.erase(std::ranges::unique(found.servers).begin(), found.servers.end());
    return found;
}

}  // namespace muster::sdk_core
