#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "apps/muster/bench/dialect.h"
#include "base/result.h"
#include "base/time.h"

namespace muster::cli::bench {

// Where clients of a server connect.
struct Address {
    std::string text;  // as it was given: "host:port"
    sockaddr_storage at{};
    socklen_t size = 0;
};

// Reads "host:port" with commas between several, and looks the hosts up. Errors: invalid_argument
// (another form), unavailable (no such host).
[[nodiscard]] Result<std::vector<Address>> find_servers(std::string_view text);

// What a server is, as far as a loader wants to know.
struct Greeting {
    bool same_host = false;  // the connection does not leave the machine
};

// Asks whether a server's client port is there that understands `speech`: sends what changes
// nothing and waits for the answer for so long. Blocks. Errors, each in a sentence that says what
// is there instead and what to do: unavailable (refused, unreachable), timeout (silent), closed,
// bad_frame (HTTP, anything else).
[[nodiscard]] Result<Greeting> greet(const Address& server, Speech speech, Duration patience);

// Whether `bytes` that came from `server` ("host:port") are a whole answer to what greet() sends,
// or (false) the beginning of one. Errors: bad_frame, in a sentence as those of greet().
[[nodiscard]] Result<bool> is_answer(std::string_view bytes, const std::string& server,
                                     Speech speech);

// What `bytes` that are no answer of a Muster seem to be, and what to do, after "host:port ".
[[nodiscard]] std::string explain_answer(std::string_view bytes);

}  // namespace muster::cli::bench
