#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace muster::demo {

// A socket listening on 127.0.0.1; `port` 0 takes a free one. Gives descriptor and port, or
// nothing when the port is in use.
[[nodiscard]] std::optional<std::pair<int, std::uint16_t>> listen_local(std::uint16_t port);

// The body of GET `path` answered with status 200 within a second; nothing otherwise.
[[nodiscard]] std::optional<std::string> http_get(const std::string& ip, std::uint16_t port,
                                                  const std::string& path);

// The path of the request on `connection`, read within a second; empty when there is none.
[[nodiscard]] std::string read_request_path(int connection);

void answer_text(int connection, const std::string& body);

}  // namespace muster::demo
