#include "roles/verify/report.h"

#include <fmt/format.h>

#include "model/service.h"

namespace muster::verify {
namespace {

using Kind = Finding::Kind;

// "; the first is publication p of service t/g/orders", as far as that was found.
std::string where(const Finding& finding) {
    if (finding.service.empty()) {
        return {};
    }
    const auto service = parse_data_info_id(finding.service);
    const std::string path = service ? service->path() : finding.service;
    return finding.publication.empty() ? fmt::format("; the first is in service {}", path)
                                       : fmt::format("; the first is publication {} of service {}",
                                                     finding.publication, path);
}

}  // namespace

bool is_difference(Kind kind) {
    return kind == Kind::two_leaders || kind == Kind::copy_differs || kind == Kind::session_differs;
}

bool has_counts(Kind kind) {
    return kind == Kind::copy_differs || kind == Kind::session_differs || kind == Kind::unsettled;
}

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::two_leaders: return "two_leaders";
        case Kind::copy_differs: return "copy_differs";
        case Kind::session_differs: return "session_differs";
        case Kind::no_leader: return "no_leader";
        case Kind::unmade: return "unmade";
        case Kind::behind: return "behind";
        case Kind::stands_in: return "stands_in";
        case Kind::unserved: return "unserved";
        case Kind::unsettled: return "unsettled";
    }
    return "unknown";
}

std::string sentence_of(const Finding& finding) {
    const std::string slot = fmt::format("slot {}: ", finding.slot.raw());
    const std::string& leader = finding.leader.raw();
    const std::string& node = finding.node.raw();
    switch (finding.kind) {
        case Kind::two_leaders:
            return slot + fmt::format("{} and {} both lead it in one epoch", leader, node);
        case Kind::copy_differs:
            return slot + fmt::format(
                              "{} holds {} publications and its leader {} held {}, or "
                              "others, at the same place of its log{}",
                              node, finding.node_has, leader, finding.leader_has, where(finding));
        case Kind::session_differs:
            return slot + fmt::format(
                              "session {} has {} publications and {} holds {}, or others, "
                              "of it{}",
                              node, finding.node_has, leader, finding.leader_has, where(finding));
        case Kind::no_leader: return slot + "nobody who answered leads it";
        case Kind::unmade: return slot + fmt::format("{} has no whole copy yet", node);
        case Kind::behind:
            return slot +
                   (finding.lacks
                        ? fmt::format("{} is {} changes behind {}", node, *finding.lacks, leader)
                        : fmt::format("{} and its leader {} were not seen at one place of "
                                      "its log",
                                      node, leader));
        case Kind::stands_in:
            return slot + (leader.empty()
                               ? fmt::format("{} stands in for its leader", node)
                               : fmt::format("{} stands in for its leader {}", node, leader));
        case Kind::unserved:
            return slot + fmt::format("session {} reaches nobody who holds it", node);
        case Kind::unsettled:
            return slot + fmt::format("what session {} has there changed at every look", node);
    }
    return slot;
}

std::string advice_on(const Finding& finding) {
    const std::string& leader = finding.leader.raw();
    const std::string& node = finding.node.raw();
    switch (finding.kind) {
        case Kind::two_leaders:
            return "restart the one of them that muster slots does not name as its leader";
        case Kind::copy_differs:
            return fmt::format(
                "ask again in a minute: {} compares its copies with their leaders' in turn and "
                "takes anew what differs; restart it if that does not help",
                node);
        case Kind::session_differs:
            return fmt::format(
                "ask again in ten seconds: {} and {} compare this themselves and "
                "repair it; what stays is worth a report",
                node, leader);
        case Kind::no_leader: return "muster members tells who is gone; the metas choose a leader";
        case Kind::unmade: return "ask again when it is made; muster slots shows how far it is";
        case Kind::behind: return "ask again when less is changing";
        case Kind::stands_in:
        case Kind::unserved: return "look at the network between them and the slot's leader";
        case Kind::unsettled: return "ask again when less is changing";
    }
    return {};
}

Report::Verdict Report::verdict() const {
    if (!differences.empty()) {
        return Verdict::different;
    }
    return open.empty() && silent.empty() ? Verdict::equal : Verdict::incomplete;
}

std::string_view to_string(Report::Verdict verdict) {
    switch (verdict) {
        case Report::Verdict::equal: return "equal";
        case Report::Verdict::different: return "different";
        case Report::Verdict::incomplete: return "incomplete";
    }
    return "unknown";
}

}  // namespace muster::verify
