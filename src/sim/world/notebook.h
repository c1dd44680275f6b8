#pragma once

#include <cstddef>
#include <deque>
#include <functional>

#include "history/batch.h"
#include "history/recorder.h"
#include "sim/world/process.h"

namespace muster::sim {

// What a data node notes of publications, on a machine that keeps it: all lives of the node write
// here, and nothing is lost. Bounds: kBatchesMax of kBatchBytes, the oldest go.
class Notebook final : public history::Recorder {
public:
    static constexpr std::size_t kBatchBytes = std::size_t{64} << 10U;
    static constexpr std::size_t kBatchesMax = 64;

    explicit Notebook(Process& process) : process_(process) {}

    void note(const history::Note& note) override;
    // Answered in a later moment by the life that was asked.
    void find(history::Query query, std::function<void(Result<history::Answer>)> answer) override;

    // Told of every record.
    std::function<void(const history::Note&)> on_note = [](const history::Note&) {};

private:
    [[nodiscard]] history::Answer look_up(const history::Query& query) const;

    Process& process_;
    std::deque<history::Batch> batches_;  // the newest last
};

}  // namespace muster::sim
