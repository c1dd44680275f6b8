#include "roles/propagation/propagation.h"

#include <algorithm>
#include <utility>

namespace muster::propagation {

Propagation::Propagation(const Asker& asker, const AskingEnv& env, Question question,
                         AskingOptions options)
    : asker_(asker), env_(env), options_(options), question_(std::move(question)) {}

void Propagation::begin() {
    began_ = env_.clock.mono();
    ask_leader();
}

// Another one may lead by now.
void Propagation::ask_leader() {
    asked_at_ = env_.clock.mono();
    leader_ = env_.known().leader_of(*question_.service);
    if (leader_ != NodeId{}) {
        env_.outbox.send({leader_, Role::data}, msg::NewestRequest{.incarnation = asker_.life,
                                                                   .request = asker_.request(),
                                                                   .service = question_.service});
    }
}

void Propagation::ask_sessions() {
    round_.emplace(asker_, env_, options_,
                   msg::ReachRequest{.incarnation = {},
                                     .request = asker_.request(),
                                     .asker = {},
                                     .session = {},
                                     .service = question_.service,
                                     .version = newest_ ? newest_->version : Version{},
                                     .without = {},
                                     .limit = question_.limit,
                                     .measure_ms = to_ms(question_.measure)});
    round_->begin();
}

void Propagation::take(const msg::RoleAddress& from, const msg::NewestReply& reply) {
    if (round_ || reply.incarnation != asker_.life || reply.request != asker_.request() ||
        from.node != leader_ || !reply.leads) {
        return;  // who does not lead may yet learn that it does, or we that it does not
    }
    newest_ = reply;
    ask_sessions();
}

void Propagation::take(const msg::ReachReply& reply) {
    if (round_) {
        round_->take(reply);
    }
}

MonoTime Propagation::due() const {
    return round_ ? round_->due()
                  : std::min(asked_at_ + options_.ask_again, began_ + options_.patience);
}

void Propagation::on_timer() {
    const MonoTime now = env_.clock.mono();
    if (round_) {
        round_->on_timer();
    } else if (now - began_ >= options_.patience) {
        ask_sessions();
    } else if (now >= due()) {
        ask_leader();
    }
}

Report Propagation::report() const {
    Report report{.service = question_.service, .leader = {}, .version = {}};
    if (newest_) {
        report.leader = leader_;
        report.version = newest_->version;
        report.settled = newest_->settled;
        report.publications = newest_->publications;
        report.drained = newest_->drained;
    } else {
        report.silent.push_back({leader_, Role::data});
    }
    report.add(*round_, question_.limit);
    report.more = report.lists > report.lines.size();
    return report;
}

}  // namespace muster::propagation
