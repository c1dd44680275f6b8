#include "apps/muster/cluster_commands.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "apps/muster/ask.h"
#include "apps/muster/http_client.h"

namespace muster::cli {
namespace {

std::uint64_t number(const json::object& object, std::string_view key) {
    const std::string digits = text(object, key);
    return digits.empty() ? 0 : std::stoull(digits);
}

// How many changes the copy of the slowest follower lacks; "?" when that is not known.
std::string behind(const json::object& slot) {
    std::map<std::string, const json::object*> copies;
    for (const json::value& copy : items(slot, "copies")) {
        copies[text(copy.as_object(), "node")] = &copy.as_object();
    }
    const auto leader = copies.find(text(slot, "leader"));
    std::uint64_t most = 0;
    for (const json::value& follower : items(slot, "followers")) {
        const auto copy = copies.find(std::string(follower.as_string()));
        if (leader == copies.end() || copy == copies.end() ||
            number(*copy->second, "epoch") != number(*leader->second, "epoch")) {
            return "?";
        }
        const std::uint64_t ahead = number(*leader->second, "position");
        most = std::max(most, ahead - std::min(ahead, number(*copy->second, "position")));
    }
    return std::to_string(most);
}

void note_placement(const json::object& answer) {
    const std::string mode = text(answer, "placement");
    if (mode == "stopped") {
        std::fprintf(stderr, "note: placement is stopped; muster slots start ends that\n");
    } else if (mode == "forced") {
        std::fprintf(stderr, "note: placement is forced; muster slots start ends that\n");
    }
    if (const std::string why = text(answer, "held_because"); !why.empty()) {
        std::fprintf(stderr, "note: nothing is placed: %s\n", why.c_str());
    }
    if (const std::string moving = text(answer, "moving"); moving != "0") {
        std::fprintf(stderr, "note: %s copies are on their way\n", moving.c_str());
    }
}

int tell(const QueryOptions& options, std::string_view method, const std::string& target,
         const std::string& done) {
    return show(
        options, target, [&](const json::object&) { std::printf("%s\n", done.c_str()); }, method);
}

}  // namespace

int run_members(const QueryOptions& options) {
    return show(options, "/api/v1/cluster/members", [](const json::object& answer) {
        Table table(
            {"NODE", "ROLE", "STATE", "ZONE", "CLIENTS", "PEERS", "SILENT MS", "LEADS", "FOLLOWS"});
        for (const json::value& meta : items(answer, "metas")) {
            const std::string name(meta.as_string());
            table.add({name, "meta", name == text(answer, "leader") ? "leads" : "", "", "", "", "",
                       "", ""});
        }
        for (const json::value& item : items(answer, "members")) {
            const json::object& member = item.as_object();
            const bool session = text(member, "role") == "session";
            table.add({text(member, "node"), text(member, "role"), text(member, "state"),
                       text(member, "zone"), session ? text(member, "address") : "",
                       text(member, "peer_address"), text(member, "silent_ms"),
                       session ? "" : text(member, "slots_led"),
                       session ? "" : text(member, "slots_followed")});
        }
        print(table, "nobody has joined yet");
    });
}

int run_remove_member(const RemoveOptions& options) {
    return tell(options.query, "DELETE",
                "/api/v1/cluster/members/" + percent_encode(options.node) +
                    "?role=" + percent_encode(options.role),
                options.node + " is forgotten as " + options.role);
}

int run_slots(const QueryOptions& options) {
    return show(options, "/api/v1/cluster/slots", [](const json::object& answer) {
        Table table({"SLOT", "LEADER", "EPOCH", "FOLLOWERS", "BEHIND", "MOVES TO"});
        for (const json::value& item : items(answer, "slots")) {
            const json::object& slot = item.as_object();
            table.add({text(slot, "slot"), text(slot, "leader"), text(slot, "epoch"),
                       cell(slot, "followers"), behind(slot), text(slot, "moves_to")});
        }
        print(table, "no slot has been placed yet: no data server has joined");
        note_placement(answer);
    });
}

int run_move_slot(const MoveOptions& options) {
    return tell(options.query, "PUT",
                "/api/v1/cluster/slots/" + std::to_string(options.slot) +
                    "/leader?to=" + percent_encode(options.to),
                "slot " + std::to_string(options.slot) + " moves to " + options.to +
                    "; muster slots shows how far it is");
}

int run_place(const QueryOptions& options, const std::string& mode) {
    return tell(options, "PUT", "/api/v1/cluster/placement/" + mode, "placement is " + mode);
}

}  // namespace muster::cli
