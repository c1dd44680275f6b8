#include "env/net.h"

#include <array>
#include <charconv>

#include <arpa/inet.h>

namespace muster::env {

std::string to_string(const SocketAddress& address) {
    const bool is_v6 = address.ip.find(':') != std::string::npos;
    return (is_v6 ? "[" + address.ip + "]" : address.ip) + ":" + std::to_string(address.port);
}

Result<SocketAddress> parse_socket_address(std::string_view text) {
    const auto malformed = [&] {
        return fail(Errc::invalid_argument,
                    "'" + std::string(text) + "' is not a numeric ip:port, such as 127.0.0.1:9600");
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return malformed();
    }
    std::string_view ip = text.substr(0, colon);
    const bool bracketed = ip.size() >= 2 && ip.front() == '[' && ip.back() == ']';
    if (bracketed) {
        ip = ip.substr(1, ip.size() - 2);
    }
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
    if (error != std::errc{} || end != digits.end()) {
        return malformed();
    }
    std::array<unsigned char, sizeof(in6_addr)> parsed{};
    const std::string owned(ip);
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, owned.c_str(), parsed.data()) != 1) {
        return malformed();
    }
    return SocketAddress{.ip = owned, .port = port};
}

}  // namespace muster::env
