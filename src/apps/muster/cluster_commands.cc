#include "apps/muster/cluster_commands.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "apps/muster/ask.h"
#include "apps/muster/asked_by.h"
#include "apps/muster/http_client.h"

namespace muster::cli {
namespace {

std::uint64_t number(const Shown& object, std::string_view key) {
    const std::string digits = object.text(key);
    return digits.empty() ? 0 : std::stoull(digits);
}

// How many changes the copy of the slowest follower lacks; "?" when that is not known.
std::string behind(const Shown& slot) {
    std::map<std::string, Shown> copies;
    for (const Shown& copy : slot.items("copies")) {
        copies.emplace(copy.text("node"), copy);
    }
    const auto leader = copies.find(slot.text("leader"));
    std::uint64_t most = 0;
    for (const Shown& follower : slot.items("followers")) {
        const auto copy = copies.find(follower.text());
        if (leader == copies.end() || copy == copies.end() ||
            number(copy->second, "epoch") != number(leader->second, "epoch")) {
            return "?";
        }
        const std::uint64_t ahead = number(leader->second, "position");
        most = std::max(most, ahead - std::min(ahead, number(copy->second, "position")));
    }
    return std::to_string(most);
}

void note_placement(const Shown& answer) {
    const std::string mode = answer.text("placement");
    if (mode == "stopped") {
        std::fprintf(stderr, "note: placement is stopped; muster slots start ends that\n");
    } else if (mode == "forced") {
        std::fprintf(stderr, "note: placement is forced; muster slots start ends that\n");
    }
    if (const std::string why = answer.text("held_because"); !why.empty()) {
        std::fprintf(stderr, "note: nothing is placed: %s\n", why.c_str());
    }
    if (const std::string moving = answer.text("moving"); moving != "0") {
        std::fprintf(stderr, "note: %s copies are on their way\n", moving.c_str());
    }
}

void note_stale(const Shown& answer) {
    if (answer.text("stale") != "true") {
        return;
    }
    const std::string age = answer.text("age_ms");
    const std::string since =
        age.empty() ? "before its last start" : std::to_string(std::stoull(age) / 1000) + " s ago";
    std::fprintf(
        stderr, "note: stale: no meta that leads answers; this is what %s was told %s (epoch %s)\n",
        answer.text("told_by").c_str(), since.c_str(), answer.text("epoch").c_str());
}

void note_silent(const Shown& answer) {
    if (const std::string who = answer.cell("silent"); !who.empty()) {
        std::fprintf(stderr, "note: no answer from %s\n", who.c_str());
    }
}

int tell(const QueryOptions& options, std::string_view method, const std::string& target,
         const std::string& done) {
    return show(options, target, [&](const Shown&) { std::printf("%s\n", done.c_str()); }, method);
}

}  // namespace

int run_members(const QueryOptions& options) {
    return show(options, "/api/v1/cluster/members", [](const Shown& answer) {
        Table table({"NODE", "ROLE", "STATE", "ZONE", "ADDRESS", "PEERS", "SILENT MS", "CLIENTS",
                     "LEADS", "FOLLOWS"});
        for (const Shown& meta : answer.items("metas")) {
            const std::string name = meta.text();
            table.add({name, "meta", name == answer.text("leader") ? "leads" : "", "", "", "", "",
                       "", "", ""});
        }
        for (const Shown& member : answer.items("members")) {
            const bool session = member.text("role") == "session";
            table.add({member.text("node"), member.text("role"), member.text("state"),
                       member.text("zone"), session ? member.text("address") : "",
                       member.text("peer_address"), member.text("silent_ms"),
                       session ? member.text("clients") : "",
                       session ? "" : member.text("slots_led"),
                       session ? "" : member.text("slots_followed")});
        }
        print(table, "nobody has joined yet");
        note_stale(answer);
    });
}

int run_remove_member(const RemoveOptions& options) {
    return tell(options.query, "DELETE",
                "/api/v1/cluster/members/" + percent_encode(options.node) +
                    "?role=" + percent_encode(options.role),
                options.node + " is forgotten as " + options.role);
}

int run_slots(const QueryOptions& options) {
    return show(options, "/api/v1/cluster/slots", [](const Shown& answer) {
        Table table({"SLOT", "LEADER", "EPOCH", "FOLLOWERS", "BEHIND", "MOVES TO"});
        for (const Shown& slot : answer.items("slots")) {
            table.add({slot.text("slot"), slot.text("leader"), slot.text("epoch"),
                       slot.cell("followers"), behind(slot), slot.text("moves_to")});
        }
        print(table, "no slot has been placed yet: no data server has joined");
        note_placement(answer);
        note_stale(answer);
    });
}

int run_move_slot(const MoveOptions& options) {
    return tell(options.query, "PUT",
                "/api/v1/cluster/slots/" + std::to_string(options.slot) +
                    "/leader?to=" + percent_encode(options.to),
                "slot " + std::to_string(options.slot) + " moves to " + options.to +
                    "; muster slots shows how far it is");
}

int run_brake(const QueryOptions& options) {
    return show(options, "/api/v1/brake", [](const Shown& answer) {
        Table table({"SCOPE", "NAME", "NODE", "HELD", "BRAKING", "SINCE S", "GOES IN S", "WHY"});
        for (const Shown& brake : answer.items("brakes")) {
            table.add({brake.text("scope"), brake.text("name"), brake.text("node"),
                       brake.text("held"), brake.text("braking"),
                       std::to_string(number(brake, "since_ms") / 1000),
                       std::to_string(number(brake, "goes_in_ms") / 1000), brake.text("why")});
        }
        print(table, "the brake holds nothing");
        if (answer.text("more") == "true") {
            std::fprintf(stderr, "note: there are more\n");
        }
        note_silent(answer);
    });
}

int run_decide(const BrakeOptions& options, const std::string& action) {
    if (options.scope != "cluster" && options.name.empty()) {
        return report({Errc::invalid_argument,
                       "which " + options.scope + "? muster brake lists what is held"});
    }
    const std::string target =
        "/api/v1/brake/" + action + "?scope=" + percent_encode(options.scope) +
        "&name=" + percent_encode(options.name) + asked_by_parameter(options.asked_by);
    return show(
        options.query, target,
        [&](const Shown& answer) {
            std::printf("%s publications %s\n", answer.text("publications").c_str(),
                        action == "confirm" ? "are gone" : "have their time anew");
            note_silent(answer);
        },
        "POST");
}

int run_place(const QueryOptions& options, const std::string& mode) {
    return tell(options, "PUT", "/api/v1/cluster/placement/" + mode, "placement is " + mode);
}

}  // namespace muster::cli
