// muster-peer-loader: Muster's side of ./dev bench peers; bench/peers/README.md has its commands.
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include "peers/muster_register.h"
#include "peers/muster_tell.h"

namespace {

// The arguments from the third on; nothing when one of them is no number.
std::optional<std::vector<std::size_t>> numbers(int argc, char** argv) {
    std::vector<std::size_t> all;
    for (int i = 2; i < argc; ++i) {
        const std::string_view text = argv[i];
        std::size_t value = 0;
        const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
        if (error != std::errc() || end != text.end()) {
            return std::nullopt;
        }
        all.push_back(value);
    }
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 1 ? argv[1] : "";
    const auto n = numbers(argc, argv);
    if (n && verb == "tell" && n->size() == 3) {
        muster::bench::tell({.port = static_cast<std::uint16_t>(n->at(0)),
                             .entries = n->at(1),
                             .entry_bytes = n->at(2)});
        return 0;
    }
    if (n && verb == "register" && n->size() == 6 && n->at(4) > 0) {
        muster::bench::register_all({.port = static_cast<std::uint16_t>(n->at(0)),
                                     .connections = n->at(1),
                                     .first = n->at(2),
                                     .registrations = n->at(3),
                                     .batch = n->at(4),
                                     .entry_bytes = n->at(5)});
        return 0;
    }
    std::fprintf(stderr,
                 "usage: muster-peer-loader tell PORT ENTRIES ENTRY_BYTES\n"
                 "       muster-peer-loader register PORT CONNECTIONS FIRST REGISTRATIONS "
                 "BATCH ENTRY_BYTES\n"
                 "./dev bench peers starts it; it takes commands on standard input\n");
    return 2;
}
