#include "link_traffic.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "sockets.h"

namespace muster::bench {
namespace {

// Of IPv4, and of TCP with the time stamps that Linux uses.
constexpr double kHeaderBytes = 20 + 32;

// The sum of all "NAME:NUMBER" in the text.
double sum_of(std::string_view text, std::string_view name) {
    double sum = 0;
    const std::string key = fmt::format(" {}:", name);
    for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
        sum += std::strtod(text.data() + at + key.size(), nullptr);
    }
    return sum;
}

std::string output_of(const std::string& command) {
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) {
        die("cannot run: " + command);
    }
    std::string text;
    std::array<char, 4096> part{};
    for (std::size_t got = 0; (got = std::fread(part.data(), 1, part.size(), pipe)) > 0;) {
        text.append(part.data(), got);
    }
    if (::pclose(pipe) != 0) {
        die("failed: " + command);
    }
    return text;
}

}  // namespace

LinkTraffic link_traffic(Cluster& cluster) {
    std::string ports;
    for (const std::string_view role : {"meta", "data", "session"}) {
        for (const Node* node : cluster.of(role)) {
            ports += fmt::format("{}sport = :{} or dport = :{}", ports.empty() ? "" : " or ",
                                 node->peer_port, node->peer_port);
        }
    }
    // Both ends of a connection are on this machine, so both are counted, each for what it sent.
    const std::string sockets =
        output_of(fmt::format("ss -Htin state established '( {} )'", ports));
    LinkTraffic traffic{.frame_bytes = cluster.metric_of_all("muster_link_sent_bytes_total"),
                        .frames = cluster.metric_of_all("muster_link_sent_frames_total"),
                        .segments = sum_of(sockets, "segs_out")};
    traffic.wire_bytes = sum_of(sockets, "bytes_sent") + kHeaderBytes * traffic.segments;
    return traffic;
}

}  // namespace muster::bench
