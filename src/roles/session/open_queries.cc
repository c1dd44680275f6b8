#include "roles/session/open_queries.h"

#include <algorithm>

namespace muster::session {

void OpenQueries::ask_services(std::uint64_t token, const msg::ListServices& query, QueryPort& port,
                               const SlotTable& table, MonoTime now, msg::Outbox& outbox) {
    const std::uint64_t number = ++last_;
    Listing& listing = listings_[number];
    listing = {.token = token,
               .port = &port,
               .limit = std::max<std::uint32_t>(query.limit, 1),
               .deadline = now + kPatience};
    listing.merged.settled = true;
    for (const Slot& slot : table.slots) {
        if (slot.leader != NodeId{}) {
            listing.awaited.insert(slot.leader);
        }
    }
    if (listings_.size() > kOpenMax) {
        listings_.erase(number);
        return;
    }
    msg::ListServices message = query;
    message.query = number;
    for (const NodeId& leader : listing.awaited) {
        outbox.send({leader, Role::data}, message);
    }
}

void OpenQueries::on_reply(const NodeId& from, const msg::ListServicesReply& reply) {
    const auto found = listings_.find(reply.query);
    if (found == listings_.end() || found->second.awaited.erase(from) == 0) {
        return;
    }
    Listing& listing = found->second;
    auto& services = listing.merged.services;
    services.insert(services.end(), reply.services.begin(), reply.services.end());
    listing.merged.more = listing.merged.more || reply.more;
    listing.merged.settled = listing.merged.settled && reply.settled;
    if (listing.awaited.empty()) {
        Listing done = std::move(listing);
        listings_.erase(found);
        answer(done);
    }
}

void OpenQueries::answer(Listing& listing) {
    auto& services = listing.merged.services;
    std::ranges::sort(services, {}, &msg::ListServicesReply::Entry::data_info_id);
    if (services.size() > listing.limit) {
        services.resize(listing.limit);
        listing.merged.more = true;
    }
    listing.port->on_services(listing.token, listing.merged);
}

void OpenQueries::put_config(std::uint64_t token, std::string key, std::optional<std::string> value,
                             QueryPort& port, const std::vector<NodeId>& metas, MonoTime now,
                             msg::Outbox& outbox) {
    const std::uint64_t number = ++last_;
    Put& put = puts_[number];
    put = {.token = token,
           .port = &port,
           .deadline = now + kPatience,
           .ask_again_at = now + kAskAgain};
    if (puts_.size() > kPutsMax || metas.empty()) {
        put.refused = Error{Errc::busy, "too many changes of values are open"};
        put.deadline = now;
        return;
    }
    put.put = {.incarnation = incarnation_,
               .request = number,
               .turn = {},
               .key = std::move(key),
               .value = std::move(value)};
    for (const NodeId& meta : metas) {
        put.awaited.insert(meta);
        outbox.send({meta, Role::meta},
                    msg::PutTurnRequest{.incarnation = incarnation_, .request = number});
    }
}

void OpenQueries::on_reply(const NodeId& from, const msg::PutTurnReply& reply, MonoTime now,
                           msg::Outbox& outbox) {
    const auto found = puts_.find(reply.request);
    if (reply.incarnation != incarnation_ || found == puts_.end() || found->second.has_turn) {
        return;
    }
    // Given up, though expire() did not run yet: this process stood still. Its caller may have sent
    // a newer one elsewhere, before this turn was given.
    if (found->second.deadline <= now) {
        return;
    }
    Put& put = found->second;
    put.has_turn = true;
    put.put.turn = reply.turn;
    put.awaited = {from};
    put.ask_again_at = now + kAskAgain;
    outbox.send({from, Role::meta}, put.put);
}

void OpenQueries::ask_again(MonoTime now, const std::vector<NodeId>& metas, msg::Outbox& outbox) {
    for (auto& [number, put] : puts_) {
        if (now < put.ask_again_at || now >= put.deadline) {
            continue;
        }
        put.ask_again_at = now + kAskAgain;
        for (const NodeId& meta : metas) {
            if (put.has_turn) {
                outbox.send({meta, Role::meta}, put.put);
            } else {
                put.awaited.insert(meta);
                outbox.send({meta, Role::meta},
                            msg::PutTurnRequest{.incarnation = incarnation_, .request = number});
            }
        }
    }
}

void OpenQueries::on_reply(const NodeId& from, const msg::ConfigPutReply& reply) {
    const auto found = puts_.find(reply.request);
    if (reply.incarnation != incarnation_ || found == puts_.end()) {
        return;
    }
    found->second.awaited.erase(from);
    if (!reply.result && !found->second.awaited.empty()) {
        found->second.refused = reply.result.error();  // said at the deadline, if nobody takes it
        return;
    }
    const Put put = std::move(found->second);
    puts_.erase(found);
    put.port->on_config_put(put.token, reply.result);
}

void OpenQueries::expire(MonoTime now) {
    std::erase_if(listings_, [&](const auto& item) { return item.second.deadline <= now; });
    for (auto item = puts_.begin(); item != puts_.end();) {
        if (item->second.deadline > now) {
            ++item;
            continue;
        }
        const Put late = std::move(item->second);
        item = puts_.erase(item);
        late.port->on_config_put(late.token, std::unexpected(late.refused.value_or(Error{
                                                 Errc::timeout, "the metas did not answer"})));
    }
}

}  // namespace muster::session
