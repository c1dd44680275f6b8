#include "roles/session/push.h"

#include <algorithm>
#include <span>
#include <utility>

namespace muster::session {
namespace {

constexpr MonoTime kNever = ListDetail::kNever;
// A push that its receiver refuses is sent once more at once, then only at the pace of timeouts.
constexpr std::uint32_t kQuickRetries = 1;

// A door tells a client that shows no lists as incomplete only what leaders have told.
bool told_only(const DatumCopy& copy, const msg::ClientPort& port) {
    return copy.told && !port.shows_incomplete();
}

Version version_for(const DatumCopy& copy, const msg::ClientPort& port) {
    return told_only(copy, port) ? copy.told->version : copy.version;
}

}  // namespace

// ---- who subscribes

void Pusher::add(const ServicePtr& service, const ListKey& key, const RegistId& id,
                 RegistOrder order, const Held& held) {
    const auto [place, is_new_list, is_new_id] = lists_.add(service, key, id, order);
    List& list = place.list();
    ListDetail& detail = lists_.detail(place);
    detail.waiting = true;
    detail.stray = detail.stray || held.stray;
    if (is_new_list || !is_new_id) {
        list.acknowledged = held.version;
        detail.claimed = held.version.raw() != 0 ? std::optional(held.digest) : std::nullopt;
    } else {
        detail.whole = true;  // the others have it, this one has not
    }
}

ServicePtr Pusher::remove(env::ConnId conn, const RegistId& id) {
    return lists_.remove(conn, id.raw());
}

std::vector<ServicePtr> Pusher::remove_all(env::ConnId conn) {
    std::vector<ServicePtr> left;
    for (const std::string& id : lists_.ids_of(conn)) {
        if (ServicePtr service = lists_.remove(conn, id)) {
            left.push_back(std::move(service));
        }
    }
    return left;
}

// ---- what changes

std::set<Version> Pusher::note_strays(const DatumCopy& copy, Version from) {
    std::set<Version> strays;
    ListsOfService* of = lists_.of(*copy.service);
    if (of == nullptr) {
        return strays;
    }
    for (auto& [key, list] : of->lists) {
        const Version held = list.acknowledged;
        if (list.claimed() && held > from && held < copy.version) {
            list.detail->stray = true;
            strays.insert(held);
        }
    }
    return strays;
}

void Pusher::note_change(const Service& service, MonoTime origin, MonoTime now) {
    ListsOfService* of = lists_.of(service);
    if (of == nullptr) {
        return;
    }
    for (auto& entry : of->lists) {
        // Who was told nothing here yet may have subscribed long after the change.
        const List& list = entry.second;
        const bool told_here =
            list.in_flight() != Version{} || (list.acknowledged != Version{} && !list.claimed());
        if (told_here) {
            ListDetail& detail = lists_.detail({of, &entry});
            detail.due_origin = std::min(detail.due_origin, origin);
            detail.due_here = std::min(detail.due_here, now);
        }
    }
}

// ---- what is sent

void Pusher::offer(DatumCopy& copy, MonoTime now) {
    ListsOfService* of = lists_.of(*copy.service);
    if (of == nullptr) {
        return;
    }
    of->left = of->lists.size();
    if (of->queued) {
        return;
    }
    if (queue_.empty()) {
        go_on(*of, copy, now);
    }
    if (of->left > 0) {
        of->queued = true;
        queue_.push_back(of->service);
    }
}

void Pusher::go_on(const CopyOf& copy_of, MonoTime now) {
    sent_in_turn_ = 0;
    probe_.turns.add();
    while (!queue_.empty() && sent_in_turn_ < options_.updates_at_once) {
        ListsOfService* of = lists_.of(*queue_.front());
        DatumCopy* copy = of == nullptr || !of->queued ? nullptr : copy_of(*of->service);
        if (copy != nullptr) {
            go_on(*of, *copy, now);
        } else if (of != nullptr) {
            of->queued = false;
        }
        if (copy == nullptr || of->left == 0) {
            queue_.pop_front();
        }
    }
}

void Pusher::go_on(ListsOfService& of, DatumCopy& copy, MonoTime now) {
    Shares shares;
    auto at = of.next ? of.lists.lower_bound(*of.next) : of.lists.begin();
    while (of.left > 0 && sent_in_turn_ < options_.updates_at_once) {
        if (at == of.lists.end()) {
            at = of.lists.begin();
        }
        sent_in_turn_ += collect(copy, {&of, &*at}, now, shares) ? 1 : 0;
        --of.left;
        ++at;
    }
    of.next = at == of.lists.end() ? std::nullopt : std::optional(at->first);
    of.queued = of.queued && of.left > 0;
    send(shares);
}

void Pusher::offer(DatumCopy& copy, env::ConnId conn, MonoTime now) {
    ListsOfService* of = lists_.of(*copy.service);
    if (of == nullptr) {
        return;
    }
    Shares shares;
    for (auto item = of->lists.lower_bound(ListKey{.conn = conn, .scope = {}, .zone = {}});
         item != of->lists.end() && item->first.conn == conn; ++item) {
        collect(copy, {of, &*item}, now, shares);
    }
    send(shares);
}

// Returns whether it is sent.
bool Pusher::collect(DatumCopy& copy, const Lists::Place& place, MonoTime now, Shares& shares) {
    if (copy.version.raw() == 0) {
        ListDetail& detail = lists_.detail(place);
        detail.behind_since = detail.behind_since.value_or(now);
        return false;  // not known yet: nothing is said
    }
    const env::ConnId conn = place.key().conn;
    msg::ClientPort* port = port_of_(conn);
    if (port == nullptr || !is_due(copy, *port, place)) {
        return false;
    }
    ListDetail& detail = lists_.detail(place);
    note_due(detail, now);
    if (detail.in_flight.raw() != 0) {
        return false;
    }
    if ((!copy.complete || detail.stray) && !port->shows_incomplete()) {
        probe_.held_back_incomplete.add();
        return false;
    }
    if (port->congested(conn)) {
        probe_.skipped_congested.add();
        detail.silent_since = detail.silent_since.value_or(now);
        if (!detail.timed_at) {
            lists_.time(detail, now);
        }
        return false;
    }
    add_target(copy, *port, place, detail, shares);
    note_sent(detail, *copy.service, version_for(copy, *port), now);
    return true;
}

// Whether there is something newer for a list, or something to say again.
bool Pusher::is_due(const DatumCopy& copy, const msg::ClientPort& port, const Lists::Place& place) {
    List& list = place.list();
    if (list.stray() && copy.doubted.empty()) {
        list.detail->stray = false;
        list.detail->whole = true;
    }
    const Version version = version_for(copy, port);
    const bool to_confirm = list.claimed() && version == list.acknowledged;
    const bool whole = list.detail != nullptr && list.detail->whole;
    if (version > list.acknowledged || whole || to_confirm) {
        return true;
    }
    if (ListDetail* detail = list.detail) {
        detail->waiting = false;
        detail->behind_since.reset();
        detail->due_origin = kNever;
        detail->due_here = kNever;
        if (detail->in_flight == Version{}) {
            detail->silent_since.reset();
            lists_.mark_late(*detail, false);
            lists_.untime(*detail);
        }
        lists_.settle(list);
    }
    return false;
}

void Pusher::add_target(DatumCopy& copy, msg::ClientPort& port, const Lists::Place& place,
                        ListDetail& detail, Shares& shares) {
    const ListKey& key = place.key();
    const List& list = place.list();
    const bool only_told = told_only(copy, port);
    const auto view = [&] {
        const std::string zone(key.zone.view());
        if (detail.stray) {
            return DatumCopies::stray_view(copy, key.scope, zone);
        }
        return only_told ? DatumCopies::told_view(copy, key.scope, zone)
                         : DatumCopies::view(copy, key.scope, zone);
    };
    const bool to_confirm = detail.claimed && version_for(copy, port) == list.acknowledged;
    if (to_confirm && view()->digest != *detail.claimed) {
        detail.whole = true;
    }
    const bool delta_wanted = port.takes_deltas() && !detail.whole && !only_told;
    const Version from = delta_wanted ? list.acknowledged : Version{};
    const auto [share, is_new] = shares.try_emplace(ShareKey{.door = door_number(&port),
                                                             .scope = key.scope,
                                                             .zone = key.zone,
                                                             .from = from,
                                                             .stray = detail.stray});
    if (is_new) {
        share->second.port = &port;
        share->second.view = view();
        share->second.delta =
            delta_wanted ? DatumCopies::shared_delta(copy, share->second.view, from) : nullptr;
    }
    list.append_ids(share->second.ids);
    share->second.targets.push_back({key.conn, share->second.ids.size()});
    share->second.delta != nullptr ? probe_.pushes_delta.add() : probe_.pushes_whole.add();
    probe_.pushes.add();
}

std::size_t Pusher::door_number(const msg::ClientPort* port) {
    const auto known = std::ranges::find(doors_, port);
    if (known != doors_.end()) {
        return static_cast<std::size_t>(known - doors_.begin());
    }
    doors_.push_back(port);
    return doors_.size() - 1;
}

void Pusher::note_sent(ListDetail& detail, const Service& service, Version version, MonoTime now) {
    if (detail.due_here != kNever) {
        stages_.record(Stage::session_to_push, now - detail.due_here, service);
    }
    detail.flight_origin = std::exchange(detail.due_origin, kNever);
    detail.due_here = kNever;
    detail.in_flight = version;
    detail.waiting = false;
    detail.whole = false;
    detail.claimed.reset();
    detail.sent_at = now;
    detail.silent_since = detail.silent_since.value_or(now);
    lists_.time(detail, now);
}

// What was sent has to be sent again: it waits since it was sent first.
void Pusher::take_back(ListDetail& detail) {
    detail.in_flight = Version{};
    if (detail.flight_origin != kNever) {
        detail.due_origin =
            std::min(detail.due_origin, std::exchange(detail.flight_origin, kNever));
        detail.due_here = std::min(detail.due_here, detail.sent_at);
    }
}

// Something newer than what is acknowledged is there.
void Pusher::note_due(ListDetail& detail, MonoTime now) {
    detail.behind_since = detail.behind_since.value_or(now);
    if (!std::exchange(detail.waiting, true) || detail.waiting_since < detail.sent_at) {
        detail.waiting_since = now;
    }
}

void Pusher::send(const Shares& shares) {
    std::vector<msg::PushTarget> targets;
    for (const auto& [key, share] : shares) {
        targets.clear();
        std::span<const std::string_view> ids(share.ids);
        std::size_t begin = 0;
        for (const Share::Target& target : share.targets) {
            targets.push_back({target.conn, ids.subspan(begin, target.ids_end - begin)});
            begin = target.ids_end;
        }
        share.port->push({.view = share.view,
                          .delta = share.delta,
                          .scope = key.scope,
                          .zone = std::string(key.zone.view()),
                          .targets = targets});
    }
}

// ---- what is answered

bool Pusher::acknowledge(const Service& service, const ListKey& key, Version version, bool ok,
                         MonoTime now) {
    ListsOfService* of = lists_.of(service);
    const auto found = of == nullptr ? ListsByKey::iterator() : of->lists.find(key);
    if (of == nullptr || found == of->lists.end()) {
        return false;  // it has unsubscribed meanwhile
    }
    List& list = found->second;
    if (list.in_flight() != version || version.raw() == 0) {
        probe_.acks_unasked.add();
        probe_.acks_ahead.add(version > std::max(list.acknowledged, list.in_flight()) ? 1 : 0);
        return false;
    }
    ListDetail& detail = *list.detail;
    if (ok) {
        probe_.acknowledged.add();
        probe_.push_to_ack.record(now - detail.sent_at);
        if (detail.flight_origin != kNever) {
            stages_.record(Stage::push_to_ack, now - detail.sent_at, service);
            stages_.record(Stage::end_to_end, now - std::exchange(detail.flight_origin, kNever),
                           service);
        }
        list.acknowledged = version;
        detail.in_flight = Version{};
        detail.failures = 0;
        detail.behind_since.reset();
        detail.silent_since.reset();
        lists_.mark_late(detail, false);
        lists_.untime(detail);
        if (detail.waiting || detail.whole) {
            detail.behind_since = detail.waiting_since;
            return true;
        }
        lists_.settle(list);
        return false;
    }
    probe_.refused.add();
    detail.whole = true;
    detail.waiting = true;
    if (++detail.failures > kQuickRetries) {
        return false;  // stays in flight until it times out
    }
    take_back(detail);
    lists_.untime(detail);
    return true;
}

std::vector<ServicePtr> Pusher::expire(MonoTime now) {
    std::vector<ServicePtr> services;
    while (ListDetail* detail = lists_.first_timed()) {
        if (*detail->timed_at + options_.timeout > now) {
            break;
        }
        lists_.mark_late(*detail, true);
        if (detail->in_flight != Version{}) {
            probe_.timeouts.add();
            take_back(*detail);
            detail->waiting = true;
            detail->whole = true;
            lists_.untime(*detail);
            if (std::ranges::find(services, detail->of->service) == services.end()) {
                services.push_back(detail->of->service);
            }
        } else {
            lists_.time(*detail, now);  // still congested
        }
        if (options_.silent_max > Duration{} && detail->silent_since &&
            now - *detail->silent_since >= options_.silent_max) {
            silent_.insert(detail->entry->first.conn);
        }
    }
    return services;
}

bool Pusher::busy(env::ConnId conn) const {
    bool found = false;
    lists_.for_each(conn, [&](const Lists::Place& place) {
        found = found || place.list().waiting() || place.list().in_flight() != Version{};
    });
    return found;
}

}  // namespace muster::session
