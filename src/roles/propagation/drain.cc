#include "roles/propagation/drain.h"

#include <algorithm>
#include <utility>

#include "model/asked_by.h"
#include "model/publication.h"

namespace muster::propagation {
namespace {

// Whoever leads the slot may yet take it.
bool may_pass(Errc code) {
    return code == Errc::not_leader || code == Errc::not_ready;
}

}  // namespace

Result<void> DrainWish::check() const {
    const auto place = Endpoint::parse(address);
    if (!place || !place->scheme.empty()) {
        return fail(Errc::invalid_argument,
                    "address: expected ip:port of an instance, got '" + address + "'");
    }
    if (timeout < Duration{} || timeout > kTimeoutMax) {
        return fail(Errc::invalid_argument, "timeout: expected at most " +
                                                std::to_string(to_ms(kTimeoutMax)) + " ms, got " +
                                                std::to_string(to_ms(timeout)) + " ms");
    }
    if (ramp < Duration{} || to_ms(ramp) > Mark::kRampMsMax) {
        return fail(Errc::invalid_argument, "ramp: expected at most " +
                                                std::to_string(Mark::kRampMsMax) + " ms, got " +
                                                std::to_string(to_ms(ramp)) + " ms");
    }
    return check_asked_by(asked_by);
}

Drain::Drain(const Asker& asker, const AskingEnv& env, DrainWish wish, AskingOptions options)
    : asker_(asker), env_(env), options_(options), wish_(std::move(wish)) {}

void Drain::begin() {
    began_ = env_.clock.mono();
    mark();
}

void Drain::mark() {
    phase_ = Phase::marking;
    ++turn_;
    asked_ = 0;
    ask_leader();
}

void Drain::ask_leader() {
    asked_at_ = env_.clock.mono();
    ++asked_;
    leader_ = env_.known().leader_of(*wish_.service);
    if (leader_ != NodeId{}) {
        env_.outbox.send({leader_, Role::data}, msg::MarkRequest{.incarnation = asker_.life,
                                                                 .request = request(),
                                                                 .service = wish_.service,
                                                                 .address = wish_.address,
                                                                 .kind = wish_.kind,
                                                                 .ramp_ms = to_ms(wish_.ramp),
                                                                 .since = since_,
                                                                 .asked_by = wish_.asked_by});
    }
}

void Drain::take(const msg::RoleAddress& from, const msg::MarkReply& reply) {
    if (phase_ != Phase::marking || reply.incarnation != asker_.life ||
        reply.request != request() || from.node != leader_) {
        return;
    }
    const bool first = report_.ids.empty();
    if (!reply.result && may_pass(reply.result.error().code)) {
        not_yet_ = reply.result.error();  // asked again, as if nothing had come
        return;
    }
    if (!reply.result && (first || reply.result.error().code != Errc::not_found)) {
        finish(std::unexpected(reply.result.error()));
        return;
    }
    if (wish_.kind == Mark::Kind::restored && first && reply.changed == 0 && asked_ == 1) {
        finish(fail(Errc::not_found, "the instance at " + wish_.address +
                                         " is not drained, so there is nothing to restore"));
        return;
    }
    report_.gone = !reply.result;
    report_.copies = reply.copies;
    report_.lacking = reply.lacking;  // of what is gone there is nothing to lack
    since_ = reply.since;
    if (reply.result) {
        report_.ids = reply.ids;
        report_.changed =
            std::min(report_.changed + reply.changed, static_cast<std::uint32_t>(reply.ids.size()));
        report_.others = reply.others;
        report_.who.leader = leader_;
        report_.who.version = reply.version;
    }
    // A leader that had to mark them anew may have shown them meanwhile.
    if (wish_.kind == Mark::Kind::drained && (!report_.confirmed || reply.changed > 0)) {
        ask_sessions();
    } else {
        end_turn();
    }
}

void Drain::ask_sessions() {
    phase_ = Phase::asking;
    round_.emplace(asker_, env_, options_,
                   msg::ReachRequest{.incarnation = {},
                                     .request = request(),
                                     .asker = {},
                                     .session = {},
                                     .service = wish_.service,
                                     .version = {},
                                     .without = report_.ids,
                                     .limit = wish_.limit});
    round_->begin();
    if (round_->done()) {
        end_round();
    }
}

void Drain::take(const msg::ReachReply& reply) {
    if (phase_ == Phase::asking) {
        round_->take(reply);
        if (round_->done()) {
            end_round();
        }
    }
}

void Drain::end_round() {
    Report who{
        .service = wish_.service, .leader = report_.who.leader, .version = report_.who.version};
    who.add(*round_, wish_.limit);
    who.more = who.behind > who.lines.size();
    report_.who = std::move(who);
    report_.confirmed = report_.who.behind == 0 && report_.who.silent.empty();
    end_turn();
}

void Drain::end_turn() {
    const MonoTime now = env_.clock.mono();
    const bool lists_are_so = report_.confirmed || wish_.kind == Mark::Kind::restored;
    if (lists_are_so && !copies_until_) {
        copies_until_ = now + options_.patience;
    }
    const MonoTime until = lists_are_so ? *copies_until_ : deadline();
    if ((lists_are_so && report_.lacking.empty()) || now >= until) {
        finish(std::move(report_));
        return;
    }
    phase_ = Phase::pausing;
    go_on_at_ = std::min(now + pause_, until);
    pause_ = std::min(2 * pause_, kPauseMax);
}

MonoTime Drain::patient_until() const {
    return std::max({deadline(), began_ + options_.patience, copies_until_.value_or(began_)});
}

MonoTime Drain::due() const {
    switch (phase_) {
        case Phase::asking: return round_->due();
        case Phase::pausing: return go_on_at_;
        case Phase::marking:
        case Phase::done: break;
    }
    return std::min(asked_at_ + options_.ask_again, patient_until());
}

void Drain::on_timer() {
    const MonoTime now = env_.clock.mono();
    if (done() || now < due()) {
        return;
    }
    if (phase_ == Phase::pausing) {
        mark();
    } else if (phase_ == Phase::asking) {
        round_->on_timer();
        if (round_->done()) {
            end_round();
        }
    } else if (now < patient_until()) {
        ask_leader();
    } else if (report_.ids.empty()) {
        finish(std::unexpected(not_yet_.value_or(
            Error{Errc::timeout, "the leader of the service's slot did not answer"})));
    } else {
        report_.confirmed = false;  // whoever leads by now may show them
        report_.who.silent.push_back({leader_, Role::data});
        finish(std::move(report_));
    }
}

void Drain::finish(Result<DrainReport> outcome) {
    phase_ = Phase::done;
    outcome_ = std::move(outcome);
    if (outcome_) {
        outcome_->waited = env_.clock.mono() - began_;
    }
}

}  // namespace muster::propagation
