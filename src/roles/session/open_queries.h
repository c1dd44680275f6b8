#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "msg/outbox.h"
#include "roles/session/query_face.h"

namespace muster::session {

// Questions to other roles that wait for answers. A listing that a data server does not answer in
// time is given up: the caller keeps a deadline of its own. Loop thread only. Bounds: kOpenMax at
// once; a listing beyond is given up, a put is refused as busy.
class OpenQueries {
public:
    static constexpr std::size_t kOpenMax = 1000;
    static constexpr Duration kPatience = std::chrono::seconds(2);

    void ask_services(std::uint64_t token, const msg::ListServices& query, QueryPort& port,
                      const SlotTable& table, MonoTime now, msg::Outbox& outbox);
    void put_config(std::uint64_t token, std::string key, std::optional<std::string> value,
                    QueryPort& port, const std::vector<NodeId>& metas, MonoTime now,
                    msg::Outbox& outbox);

    void on_reply(const NodeId& from, const msg::ListServicesReply& reply);
    void on_reply(const msg::ConfigPutReply& reply);
    void expire(MonoTime now);

private:
    struct Listing {
        std::uint64_t token = 0;
        QueryPort* port = nullptr;
        std::set<NodeId> awaited;
        std::uint32_t limit = 0;
        msg::ListServicesReply merged;
        MonoTime deadline;
    };
    struct Put {
        std::uint64_t token = 0;
        QueryPort* port = nullptr;
        MonoTime deadline;
        std::optional<Error> refused;
    };

    static void answer(Listing& listing);

    std::map<std::uint64_t, Listing> listings_;
    std::map<std::uint64_t, Put> puts_;
    std::uint64_t last_ = 0;
};

}  // namespace muster::session
