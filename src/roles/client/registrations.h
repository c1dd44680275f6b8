#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/publication.h"
#include "msg/client.h"
#include "roles/client/deliveries.h"

namespace muster::client {

// How much one request may hold.
struct BatchLimits {
    std::size_t items_max = 0;
    std::size_t bytes_max = 0;
};

// What a client publishes, and what it has withdrawn but the server has not confirmed. Loop thread
// only. Bounded by its owner.
class Registrations {
public:
    // `publication.order` is the first one.
    void add(WishId wish, Publication publication);
    // The state that is to be published; null when withdrawn or never known.
    [[nodiscard]] PublicationPtr find(WishId wish) const;
    // Replaces the state of a live registration; the order must have grown.
    void update(WishId wish, Publication publication);
    // Withdraws; a registration no server ever heard of is forgotten at once: false.
    bool withdraw(WishId wish, std::int64_t timestamp_ms);
    [[nodiscard]] std::vector<WishId> live() const;

    // A new connection: everything is to be said again, with this timestamp.
    void on_connected(std::int64_t timestamp_ms);

    // The next request, with the wishes in it; empty when nothing waits. Withdrawals are taken when
    // no registration waits.
    struct Batch {
        std::vector<WishId> wishes;
        msg::ClientMessage message;
    };
    [[nodiscard]] std::optional<Batch> take(msg::RequestId request, BatchLimits limits);

    // The server's answer to the state that is on its way; what the observer is told.
    struct Answered {
        RegistId id;
        std::int64_t version = 0;
    };
    [[nodiscard]] std::optional<Answered> on_outcome(WishId wish, const Result<void>& result);

    [[nodiscard]] RegistId id_of(WishId wish) const;
    [[nodiscard]] std::size_t size() const {
        return entries_.size();
    }
    [[nodiscard]] Deliveries& deliveries() {
        return deliveries_;
    }
    [[nodiscard]] const Deliveries& deliveries() const {
        return deliveries_;
    }

private:
    struct Entry {
        PublicationPtr state;  // of a withdrawn one: its last, with the order of the withdrawal
        bool withdrawn = false;
        bool told = false;  // some server may know it
    };

    [[nodiscard]] std::optional<Batch> take_registers(msg::RequestId request, BatchLimits limits);
    [[nodiscard]] std::optional<Batch> take_withdrawals(msg::RequestId request, BatchLimits limits);

    std::map<WishId, Entry> entries_;
    Deliveries deliveries_;
};

}  // namespace muster::client
