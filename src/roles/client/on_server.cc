#include <algorithm>
#include <limits>
#include <string_view>

#include "roles/client/client_impl.h"

namespace muster::client {
namespace {

// Order of a withdrawal of a subscription or watch: above kWishVersion of lists.cc.
constexpr std::int64_t kUnwishVersion = 2;

// The outcome of one item: at its place in the reply, or wherever it is.
class OutcomeFinder {
public:
    explicit OutcomeFinder(const msg::RequestReply& reply) : outcomes_(reply.outcomes) {}

    [[nodiscard]] const msg::RequestReply::Outcome* find(std::size_t place, const RegistId& id) {
        if (place < outcomes_.size() && outcomes_[place].id == id) {
            return &outcomes_[place];
        }
        if (by_id_.empty()) {
            for (const auto& outcome : outcomes_) {
                by_id_.emplace(outcome.id.raw(), &outcome);
            }
        }
        const auto found = by_id_.find(id.raw());
        return found != by_id_.end() ? found->second : nullptr;
    }

private:
    const std::vector<msg::RequestReply::Outcome>& outcomes_;
    std::map<std::string_view, const msg::RequestReply::Outcome*> by_id_;
};

}  // namespace

msg::RequestId ClientRole::Impl::next_request() {
    // Fits the signed 32 bits of a bolt frame.
    constexpr std::uint64_t kRequestIdMax = std::numeric_limits<std::int32_t>::max();
    do {
        last_request_ = last_request_ % kRequestIdMax + 1;
    } while (open_.contains(msg::RequestId(last_request_)));
    return msg::RequestId(last_request_);
}

void ClientRole::Impl::send_request(RequestKind kind, msg::RequestId request,
                                    std::vector<WishId> wishes, msg::ClientMessage message) {
    probes_.requests.add();
    open_.emplace(request, OpenRequest{.kind = kind,
                                       .wishes = std::move(wishes),
                                       .deadline = env_.clock.mono() + options_.request_timeout});
    env_.link.send(current_, std::move(message));
}

// Sends one request of what waits; false when nothing does.
bool ClientRole::Impl::send_next() {
    const msg::RequestId request = next_request();
    const BatchLimits limits{.items_max = options_.batch_items_max,
                             .bytes_max = options_.batch_bytes_max};
    if (auto batch = registrations_.take(request, limits)) {
        for (const WishId wish : batch->wishes) {
            registrations_.deliveries().sent(wish, request);
        }
        send_request(RequestKind::registrations, request, std::move(batch->wishes),
                     std::move(batch->message));
        return true;
    }
    if (auto batch = lists_.take(request, limits.items_max, options_.app)) {
        for (const WishId wish : batch->wishes) {
            lists_.deliveries().sent(wish, request);
        }
        send_request(RequestKind::lists, request, std::move(batch->wishes),
                     std::move(batch->message));
        return true;
    }
    if (!unsubscribes_.empty()) {
        const std::size_t size = std::min(unsubscribes_.size(), limits.items_max);
        const auto end = unsubscribes_.begin() + static_cast<std::ptrdiff_t>(size);
        msg::Unsubscribe message{.request = request, .items = {unsubscribes_.begin(), end}};
        unsubscribes_.erase(unsubscribes_.begin(), end);
        send_request(RequestKind::withdrawals, request, {}, std::move(message));
        return true;
    }
    if (auto taken = watches_.take(request)) {
        watches_.deliveries().sent(taken->wish, request);
        send_request(RequestKind::watches, request, {taken->wish}, std::move(taken->message));
        return true;
    }
    if (!unwatches_.empty()) {
        msg::UnwatchConfig message{.request = request, .watch = std::move(unwatches_.front())};
        unwatches_.pop_front();
        send_request(RequestKind::withdrawals, request, {}, std::move(message));
        return true;
    }
    return false;
}

void ClientRole::Impl::flush() {
    if (state_ != ClientState::connected) {
        return;
    }
    while (open_.size() < options_.open_requests_max && send_next()) {
    }
    arm_request_timer();
}

void ClientRole::Impl::arm_request_timer() {
    if (open_.empty()) {
        cancel(Timer::requests);
        return;
    }
    MonoTime earliest = MonoTime::max();
    for (const auto& [request, open] : open_) {
        earliest = std::min(earliest, open.deadline);
    }
    arm(Timer::requests, earliest - env_.clock.mono());
}

void ClientRole::Impl::on_request_timer() {
    if (state_ != ClientState::connected) {
        return;
    }
    const MonoTime now = env_.clock.mono();
    bool any = false;
    for (auto it = open_.begin(); it != open_.end();) {
        if (it->second.deadline > now) {
            ++it;
            continue;
        }
        any = true;
        probes_.request_timeouts.add();
        auto* deliveries = it->second.kind == RequestKind::registrations
                               ? &registrations_.deliveries()
                           : it->second.kind == RequestKind::lists ? &lists_.deliveries()
                                                                   : &watches_.deliveries();
        for (const WishId wish : it->second.wishes) {
            if (deliveries->is_carried_by(wish, it->first)) {
                deliveries->wait(wish);
            }
        }
        it = open_.erase(it);
    }
    constexpr std::uint32_t kTimeoutsMax = 3;
    if (any && ++timeouts_in_a_row_ >= kTimeoutsMax) {
        env_.link.disconnect(current_);
        lose_link({.code = Errc::timeout, .detail = "requests were not answered"});
        return;
    }
    flush();
}

void ClientRole::Impl::arm_resend() {
    const bool any = registrations_.deliveries().has_resting() ||
                     lists_.deliveries().has_resting() || watches_.deliveries().has_resting();
    if (!any || resend_armed_) {
        return;
    }
    const RetryOptions retry{.first_spread = options_.resend_after,
                             .base = options_.resend_after,
                             .max = std::max(options_.retry_max, options_.resend_after)};
    resend_armed_ = true;
    arm(Timer::resend,
        options_.resend_after / 2 + retry_delay(retry, resends_in_a_row_, prng_) / 2);
    ++resends_in_a_row_;
}

void ClientRole::Impl::finish(const OpenRequest& open, const msg::RequestReply& reply) {
    struct Told {
        Registrations::Answered answered;
        Result<void> result;
    };
    std::vector<Told> told;
    OutcomeFinder outcomes(reply);
    const MonoTime now = env_.clock.mono();
    const Result<void> missing = fail(Errc::unavailable, "the reply leaves it out");
    const auto settle = [&](auto& wishes, const auto& on_outcome) {
        for (std::size_t i = 0; i < open.wishes.size(); ++i) {
            const WishId wish = open.wishes[i];
            if (!wishes.deliveries().is_carried_by(wish, reply.request)) {
                continue;
            }
            const auto* outcome = outcomes.find(i, wishes.id_of(wish));
            const Result<void>& result = outcome != nullptr ? outcome->result : missing;
            if (!result) {
                probes_.refusals.add();
            }
            on_outcome(wish, result);
        }
    };
    switch (open.kind) {
        case RequestKind::registrations:
            settle(registrations_, [&](WishId wish, const Result<void>& result) {
                if (auto answered = registrations_.on_outcome(wish, result)) {
                    told.push_back({.answered = std::move(*answered), .result = result});
                }
            });
            break;
        case RequestKind::lists:
            settle(lists_, [&](WishId wish, const Result<void>& result) {
                lists_.on_outcome(wish, result, now);
            });
            break;
        case RequestKind::watches:
            settle(watches_, [&](WishId wish, const Result<void>& result) {
                watches_.on_outcome(wish, result, now);
            });
            break;
        case RequestKind::withdrawals: break;
    }
    if (!registrations_.deliveries().has_resting() && !lists_.deliveries().has_resting() &&
        !watches_.deliveries().has_resting()) {
        resends_in_a_row_ = 0;
    }
    arm_resend();
    flush();
    drained_check();
    for (const auto& each : told) {
        env_.observer.on_registered(each.answered.id, each.answered.version, each.result);
    }
}

void ClientRole::Impl::on_reply(LinkId link, const msg::RequestReply& reply) {
    if (!is_current(link)) {
        return;
    }
    const auto found = open_.find(reply.request);
    if (found == open_.end()) {
        return;
    }
    timeouts_in_a_row_ = 0;
    const OpenRequest open = std::move(found->second);
    open_.erase(found);
    finish(open, reply);
}

void ClientRole::Impl::on_request_failed(LinkId link, msg::RequestId request, const Error& why) {
    if (!is_current(link)) {
        return;
    }
    const auto found = open_.find(request);
    if (found == open_.end()) {
        return;
    }
    env_.log.warning("client.request.failed", {{"server", server_}, {"why", to_string(why)}});
    msg::RequestReply reply{.request = request};
    for (const WishId wish : found->second.wishes) {
        RegistId id = found->second.kind == RequestKind::registrations ? registrations_.id_of(wish)
                      : found->second.kind == RequestKind::lists       ? lists_.id_of(wish)
                                                                       : watches_.id_of(wish);
        reply.outcomes.push_back({.id = std::move(id), .result = std::unexpected(why)});
    }
    on_reply(link, reply);
}

// When everything is said on the new connection, the old one is let go.
void ClientRole::Impl::drained_check() {
    if (draining_ != LinkId{} && registrations_.deliveries().unanswered() == 0) {
        drop_draining();
    }
}

void ClientRole::Impl::on_heartbeat_ack(LinkId link) {
    static_cast<void>(is_current(link));
}

void ClientRole::Impl::on_poll_timer() {
    if (state_ != ClientState::connected) {
        return;
    }
    const MonoTime since = env_.clock.mono() - options_.poll_interval;
    const std::int64_t now_ms = stamp();
    probes_.polls.add(lists_.poll(since, now_ms) + watches_.poll(since, now_ms));
    arm(Timer::poll, options_.poll_interval / 2);
    flush();
}

// A subscription the server still has and the client no more: the server is told again.
void ClientRole::Impl::unsubscribe_stray(const msg::Push& push, const RegistId& id) {
    if (unsubscribes_.size() < options_.lists_max) {
        unsubscribes_.push_back({.id = id,
                                 .service = push.view->service,
                                 .order = {.version = kUnwishVersion, .timestamp_ms = stamp()}});
        send_soon();
    }
}

// Applies the push to one list. False: the list must come in full.
bool ClientRole::Impl::apply_to(Lists::Entry& entry, const msg::Push& push, bool& is_news) {
    entry.heard = env_.clock.mono();
    PushResult result = apply_push(entry.state.view, push, options_.publications_per_list_max);
    if (result.digest_differs) {
        probes_.digest_mismatches.add();
    }
    switch (result.outcome) {
        case PushOutcome::older: probes_.pushes_older.add(); return true;
        case PushOutcome::needs_full: probes_.pushes_unfit.add(); return false;
        case PushOutcome::over_limit:
            probes_.pushes_over_limit.add();
            env_.log.warning("client.list.over_limit", {{"service", push.view->service->path()}});
            return true;
        case PushOutcome::applied:
        case PushOutcome::confirmed: break;
    }
    const bool changed =
        result.outcome == PushOutcome::applied || entry.state.stale || !entry.shown;
    entry.state = {.view = std::move(result.view), .stale = false, .as_of = env_.clock.wall()};
    const bool says_something =
        entry.state.view->complete || !entry.state.view->publications.empty();
    is_news = changed && says_something;
    entry.shown = entry.shown || says_something;
    return true;
}

void ClientRole::Impl::on_push(LinkId link, const msg::Push& push) {
    if (!is_current(link)) {
        return;
    }
    (push.delta != nullptr ? probes_.pushes_delta : probes_.pushes_full).add();
    bool all_fit = true;
    std::vector<std::pair<ListKey, ListState>> news;
    for (const auto& id : push.subscribers) {
        const ListKey* key = lists_.key_of(wish_of(id));
        if (key == nullptr || key->service != *push.view->service) {
            unsubscribe_stray(push, id);
            continue;
        }
        Lists::Entry& entry = *lists_.find(*key);
        bool is_news = false;
        all_fit = apply_to(entry, push, is_news) && all_fit;
        if (is_news) {
            news.emplace_back(*key, entry.state);
        }
    }
    for (const auto& [key, state] : news) {
        env_.observer.on_list(key, state);
    }
    // Only now: who hears of it may stop what the program has dropped.
    env_.link.send(current_, msg::PushAck{.service = push.view->service,
                                          .scope = push.scope,
                                          .zone = push.zone,
                                          .version = push.view->version,
                                          .ok = all_fit});
}

void ClientRole::Impl::on_config_push(LinkId link, const msg::ConfigPush& push) {
    if (!is_current(link)) {
        return;
    }
    Watches::Entry* entry = watches_.find(*push.key);
    if (entry == nullptr) {
        return;
    }
    entry->heard = env_.clock.mono();
    if (entry->state.known && push.version <= entry->state.version) {
        return;
    }
    entry->state = {.known = true, .value = push.value, .version = push.version};
    const ConfigState state = entry->state;
    env_.observer.on_config(*push.key, state);
}

}  // namespace muster::client
