#include "sim/world/notebook.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"

namespace muster::sim {

void Notebook::note(const history::Note& note) {
    if (batches_.empty() || batches_.back().bytes().size() >= kBatchBytes) {
        batches_.emplace_back();
        if (batches_.size() > kBatchesMax) {
            batches_.pop_front();
        }
    }
    batches_.back().add(note);
    on_note(note);
}

void Notebook::find(history::Query query, std::function<void(Result<history::Answer>)> answer) {
    process_.post(
        Duration::zero(), kDiskChannel,
        [this, query = std::move(query), answer = std::move(answer)] { answer(look_up(query)); });
}

history::Answer Notebook::look_up(const history::Query& query) const {
    history::Answer found;
    for (auto batch = batches_.rbegin(); batch != batches_.rend(); ++batch) {
        std::vector<HistoryRecord> records;
        const auto read =
            history::for_each_record(batch->bytes(), [&](const history::RecordView& view) {
                if (view.service() != query.service || view.at_ms() < query.since_ms ||
                    (query.until_ms != 0 && view.at_ms() > query.until_ms)) {
                    return;
                }
                auto record = view.read();
                CHECK(record.has_value());
                if (query.address.empty() || std::ranges::find(record->addresses, query.address) !=
                                                 record->addresses.end()) {
                    records.push_back(*std::move(record));
                }
            });
        CHECK(read.has_value());
        found.reaches_ms = batch->first_ms();
        for (auto record = records.rbegin(); record != records.rend(); ++record) {
            if (found.records.size() >= query.limit) {
                found.more = true;
                return found;
            }
            found.records.push_back(std::move(*record));
        }
    }
    return found;
}

}  // namespace muster::sim
