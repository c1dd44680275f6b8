#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "failure.h"

namespace muster::sdk_core {

// Where sessions are, as the user wrote it.
//   "127.0.0.1:9600, registry.example:9600, http://registry.example:9603"
class ServerFinder {
public:
    struct Place {
        std::string host;
        std::string port;
        bool ask_http = false;  // "http://host:port": asked for the list of sessions
    };

    // Errors: INVALID_ARGUMENT.
    [[nodiscard]] static Outcome<ServerFinder> parse(std::string_view text);

    // Addresses that need no asking.
    [[nodiscard]] const std::vector<std::string>& known() const {
        return known_;
    }
    // Names and HTTP ports, for find().
    [[nodiscard]] const std::vector<Place>& places() const {
        return places_;
    }

    // Resolves and asks; blocks for some seconds at worst. What fails is left out and described in
    // `problems`. Bounds: 2 s and 64 KiB of answer for each HTTP port.
    struct Found {
        std::vector<std::string> servers;  // "ip:port"
        std::vector<std::string> problems;
    };
    [[nodiscard]] static Found find(const std::vector<Place>& places);

private:
    std::vector<std::string> known_;
    std::vector<Place> places_;
};

}  // namespace muster::sdk_core
