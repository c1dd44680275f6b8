#include "roles/verify/verification.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace muster::verify {
namespace {

std::set<msg::RoleAddress> nodes_to_ask(const Known& known) {
    std::set<msg::RoleAddress> nodes;
    for (const Member& member : known.members) {
        if (member.role != Role::meta && member.phase != MemberPhase::dead) {
            nodes.insert({member.node, member.role});
        }
    }
    for (const Slot& slot : known.table.slots) {
        nodes.insert({slot.leader, Role::data});
        for (const NodeId& node : slot.followers) {
            nodes.insert({node, Role::data});
        }
    }
    nodes.erase({NodeId{}, Role::data});
    return nodes;
}

// The first name under which two sorted lists differ; empty: none of those that are there.
std::string first_difference(const msg::VerifyDetail& one, const msg::VerifyDetail& other) {
    const auto [a, b] = std::ranges::mismatch(one.lines, other.lines);
    if (a == one.lines.end() || b == other.lines.end()) {
        const bool cut = one.more || other.more;
        return a != one.lines.end() && !cut     ? a->name
               : b != other.lines.end() && !cut ? b->name
                                                : std::string();
    }
    return std::min(a->name, b->name);
}

}  // namespace

Verification::Verification(Asker asker, VerificationEnv env, VerificationOptions options)
    : asker_(std::move(asker)), env_(std::move(env)), options_(options), pause_(options.pause) {}

void Verification::begin() {
    const Known known = env_.known();
    CHECK(!known.table.slots.empty());
    began_ = env_.clock.mono();
    nodes_ = nodes_to_ask(known);
    phase_ = Phase::asking;
    begin_step(nodes_);
}

void Verification::begin_step(std::set<msg::RoleAddress> asked) {
    ++step_;
    step_began_ = env_.clock.mono();
    awaited_ = std::move(asked);
    ask();
}

MonoTime Verification::due() const {
    if (phase_ == Phase::pausing) {
        return go_on_at_;
    }
    return std::min(asked_at_ + options_.ask_again, step_began_ + options_.patience);
}

void Verification::on_timer() {
    const MonoTime now = env_.clock.mono();
    if (done() || now < due()) {
        return;
    }
    if (phase_ == Phase::pausing) {
        phase_ = Phase::asking;
        begin_step(nodes_);
    } else if (now - step_began_ < options_.patience) {
        ask();
    } else {
        end_step();
    }
}

void Verification::ask() {
    asked_at_ = env_.clock.mono();
    msg::VerifyRequest request{.incarnation = asker_.life,
                               .request = this->request(),
                               .asker = asker_.self.node,
                               .asker_role = asker_.self.role,
                               .session = {},
                               .slots = slots_,
                               .detail = {}};
    if (phase_ != Phase::asking) {
        request.slots = {wish_.slot};
        request.detail = wish_;
    }
    for (const msg::RoleAddress& node : awaited_) {
        ask(node, request);
    }
}

// Sessions have no links to each other: a data server passes it on, another one each time.
void Verification::ask(const msg::RoleAddress& to, msg::VerifyRequest request) {
    if (to.role != Role::session || asker_.self.role != Role::session ||
        to.node == asker_.self.node) {
        env_.outbox.send(to, std::move(request));
        return;
    }
    std::vector<msg::RoleAddress> ways;
    std::ranges::copy_if(nodes_, std::back_inserter(ways),
                         [](const auto& node) { return node.role == Role::data; });
    if (!ways.empty()) {
        request.session = to.node;
        env_.outbox.send(ways[passed_on_++ % ways.size()], std::move(request));
    }
}

void Verification::take(const msg::RoleAddress& from, const msg::VerifyReply& reply) {
    if (reply.incarnation != asker_.life || reply.request != request() ||
        !awaited_.contains(from)) {
        return;  // to an earlier step, or a second answer
    }
    if (phase_ == Phase::asking) {
        answers_.data[from.node] = reply;
    } else {
        const bool leaders = from.node == report_.differences.front().leader;
        lines_[leaders ? 0 : 1] = reply.detail;
    }
    answered(from);
}

void Verification::take(const msg::VerifySessionReply& reply) {
    const msg::RoleAddress from{reply.session, Role::session};
    if (reply.incarnation != asker_.life || reply.request != request() ||
        !awaited_.contains(from)) {
        return;
    }
    if (phase_ == Phase::asking) {
        answers_.sessions[reply.session] = reply;
    } else {
        lines_[1] = reply.detail;
    }
    answered(from);
}

void Verification::answered(const msg::RoleAddress& who) {
    awaited_.erase(who);
    if (awaited_.empty()) {
        end_step();
    }
}

void Verification::end_step() {
    if (phase_ == Phase::asking) {
        end_round();
    } else {
        end_naming();
    }
}

void Verification::end_round() {
    for (const msg::RoleAddress& who : awaited_) {
        silent_.insert(who);
        nodes_.erase(who);
    }
    ++report_.rounds;
    comparison_.add(std::exchange(answers_, {}), env_.known().table);
    slots_ = comparison_.open();
    const MonoTime now = env_.clock.mono();
    if (slots_.empty() || report_.rounds == options_.rounds_max ||
        now - began_ >= options_.deadline) {
        const std::uint32_t rounds = report_.rounds;
        report_ = comparison_.report();
        report_.rounds = rounds;
        report_.silent.assign(silent_.begin(), silent_.end());
        name_difference();
        return;
    }
    phase_ = Phase::pausing;
    go_on_at_ = now + pause_;
    pause_ *= 2;
}

// Asks both sides of the first difference what they hold, by service and then by publication.
void Verification::name_difference() {
    if (report_.differences.empty() ||
        report_.differences.front().kind == Finding::Kind::two_leaders) {
        finish();
        return;
    }
    const Finding& first = report_.differences.front();
    const bool of_session = first.kind == Finding::Kind::session_differs;
    phase_ = first.service.empty() ? Phase::naming_service : Phase::naming_publication;
    wish_ = {.slot = first.slot,
             .service = first.service,
             .owner = of_session ? first.node : NodeId{},
             .life = of_session ? first.life : Incarnation{}};
    lines_ = {};
    begin_step({{first.leader, Role::data}, {first.node, of_session ? Role::session : Role::data}});
}

void Verification::end_naming() {
    Finding& first = report_.differences.front();
    const std::string name = awaited_.empty() ? first_difference(lines_[0], lines_[1]) : "";
    if (phase_ == Phase::naming_service && !name.empty()) {
        first.service = name;
        name_difference();
        return;
    }
    first.publication = phase_ == Phase::naming_publication ? name : "";
    finish();
}

void Verification::finish() {
    report_.took = env_.clock.mono() - began_;
    phase_ = Phase::done;
}

}  // namespace muster::verify
